// How much one Redis sustains of what engines ask of it: rooms, relays between nodes, heartbeats.
// Prints the CPU time that redis-server spends on each, which, unlike the wall time, does not
// depend on what else the machine does.
//
//   store_capacity [ROUNDS]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/store/envelope.h"
#include "engine/store/keys.h"
#include "engine/store/subscription.h"
#include "tests/store/rooms_fixture.h"

namespace signalbox::test {
namespace {

constexpr size_t kInFlight = 64;

double redis_info(Client& client, const char* section, const std::string& name) {
  const std::string info = client.text({"INFO", section});
  return std::atof(info.c_str() + info.find("\n" + name + ":") + name.size() + 2);
}

double redis_cpu_s(Client& client) {
  return redis_info(client, "cpu", "used_cpu_user") + redis_info(client, "cpu", "used_cpu_sys");
}

double redis_memory(Client& client) {
  return redis_info(client, "memory", "used_memory");
}

// Runs `operation(i, done)` for each i below `count`, some at a time, and prints what it costs.
template <typename Operation>
void measure(const char* name, Client& client, size_t count, Operation operation) {
  size_t begun = 0;
  size_t ended = 0;
  const double cpu_before = redis_cpu_s(client);
  const uint64_t before_ms = clock_ms();
  const std::function<void()> next = [&] {
    if (begun == count) return;
    operation(begun++, [&] {
      ++ended;
      next();
    });
  };
  for (size_t i = 0; i < kInFlight; ++i) next();
  run_until(client.loop, [&] { return ended == count; });
  const double wall_s = static_cast<double>(clock_ms() - before_ms) / 1000;
  const double cpu_us = (redis_cpu_s(client) - cpu_before) * 1e6 / static_cast<double>(count);
  std::printf("%-34s %7.1f us of Redis's CPU   %8.0f/s a core   (%.0f/s here)\n", name, cpu_us,
              1e6 / cpu_us, static_cast<double>(count) / wall_s);
}

void run(size_t count) {
  const RedisServer server;
  Options options;
  options.limits_room_size = 1000;
  RoomsTest test(server, options);
  RoomsFixture& fixture = test.rooms;
  Client& client = fixture.client;
  const std::string own = fixture.registry.id();
  const auto room = [](size_t i) { return "room-" + std::to_string(i); };
  const auto socket = [](const std::string& node, size_t i) {
    std::string digits = std::to_string(i);
    return node + std::string(16 - digits.size(), '0') + digits;
  };

  // Who hears what is published to another node.
  size_t heard = 0;
  store::Subscription other(
      client.loop, client.log, client.options,
      [&heard](std::string_view, std::string_view) { ++heard; }, [](bool) {});
  other.subscribe(store::node_channel("else"));
  other.connect();
  run_until(client.loop, [&] { return other.ready(); });

  const double memory_before = redis_memory(client);
  measure("create a room", client, count, [&](size_t i, auto done) {
    fixture.rooms.create({.room = room(i)}, [done](auto) { done(); });
  });
  measure("join, first of a pair, limited", client, count, [&](size_t i, auto done) {
    fixture.rooms.join({room(i), socket(own, 2 * i), std::to_string(i)},
                       [done](const auto&) { done(); });
  });
  measure("join, second of a pair", client, count, [&](size_t i, auto done) {
    fixture.rooms.join({room(i), socket(own, 2 * i + 1), ""}, [done](const auto&) { done(); });
  });
  run_for(client.loop, 6000);  // the attempts are forgotten
  std::printf("memory of a pair                   %7.0f bytes\n",
              (redis_memory(client) - memory_before) / static_cast<double>(count));
  measure("join a room with another node", client, count, [&](size_t i, auto done) {
    client.redis->command({"SADD", store::room_sockets_key(room(i)), socket("else", i)},
                          [](const auto&) {});
    fixture.rooms.join({room(i), socket(own, 2 * count + i), ""}, [done](const auto&) { done(); });
  });
  measure("bind again, of a page of 50", client, count / 50, [&](size_t i, auto done) {
    std::vector<store::Binding> page;
    for (size_t k = 50 * i; k < 50 * (i + 1); ++k) page.push_back({room(k), socket(own, 2 * k)});
    fixture.rooms.bind(page, [done](const auto&) { done(); });
  });
  measure("leave", client, count, [&](size_t i, auto done) {
    fixture.rooms.leave(room(i), socket(own, 2 * i), {}, [done](const auto&) { done(); });
  });
  for (const size_t bytes : {300U, 1500U}) {
    store::Envelope envelope;
    envelope.kind = store::EnvelopeKind::kRelay;
    envelope.sender = own;
    const std::string packet(bytes, 'x');
    envelope.packet = packet;
    const std::string text = store::encode(envelope);
    const std::string name = "relay of " + std::to_string(bytes) + " bytes to a node";
    measure(name.c_str(), client, count, [&](size_t, auto done) {
      client.redis->command({"PUBLISH", store::node_channel("else"), text},
                            [done](const auto&) { done(); });
    });
  }
}

}  // namespace
}  // namespace signalbox::test

int main(int argc, char** argv) {
  signalbox::test::run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 50'000);
}
