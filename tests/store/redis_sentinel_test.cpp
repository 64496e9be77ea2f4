// A master that sentinels watch: found, and found again when it is another.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/subscription.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::Reply;
using signalbox::store::Subscription;
using signalbox::test::Client;
using signalbox::test::clock_ms;
using signalbox::test::free_port;
using signalbox::test::RedisSentinel;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;

constexpr const char* kPassword = "master~word";
constexpr const char* kSentinelPassword = "sentinel~word";

// From the loss of a master until a command works: the sentinels take their second until they call
// it down, then agree and promote. What this allows beyond is for a busy machine.
constexpr uint64_t kHealedMs = 12000;

bool logged(const Client& client, const std::string& part) {
  for (const std::string& line : client.lines) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

std::unique_ptr<RedisServer> start_redis(int port, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"--port",
                                        std::to_string(port),
                                        "--bind",
                                        "127.0.0.1",
                                        "--requirepass",
                                        kPassword,
                                        "--masterauth",
                                        kPassword,
                                        "--repl-diskless-sync-delay",
                                        "0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return std::make_unique<RedisServer>(arguments);
}

std::unique_ptr<RedisSentinel> start_sentinel(int master_port) {
  return std::make_unique<RedisSentinel>(std::vector<std::string>{
      "sentinel monitor mymaster 127.0.0.1 " + std::to_string(master_port) + " 2",
      "sentinel auth-pass mymaster " + std::string(kPassword),
      "sentinel down-after-milliseconds mymaster 1000",
      "sentinel failover-timeout mymaster 4000",
      "requirepass " + std::string(kSentinelPassword),
  });
}

// A Redis behind its sentinels, and what is needed to look past them.
struct Deployment {
  Deployment() {
    redis[0] = start_redis(ports[0]);
    redis[1] = start_redis(ports[1], {"--replicaof", "127.0.0.1", std::to_string(ports[0])});
    // Sentinels ask a master for its replicas when they meet it, and then only every ten seconds.
    wait_until_replica(1);
    for (auto& sentinel : sentinels) sentinel = start_sentinel(ports[0]);
    for (const auto& sentinel : sentinels) {
      Client client(loop, "redis://:" + std::string(kSentinelPassword) +
                              "@127.0.0.1:" + std::to_string(sentinel->port()));
      until(client, {"SENTINEL", "CKQUORUM", "mymaster"}, "OK 3 usable Sentinels");
      run_until(loop, [&] {
        return client.call({"SENTINEL", "REPLICAS", "mymaster"}).elements.size() == 1;
      });
    }
  }

  Options options() const {
    Options options;
    options.redis_url = "redis://:" + std::string(kPassword) + "@ignored.invalid:1/3";
    for (const auto& sentinel : sentinels) {
      options.redis_sentinels.push_back("127.0.0.1:" + std::to_string(sentinel->port()));
    }
    options.redis_master_name = "mymaster";
    options.redis_sentinel_password = kSentinelPassword;
    return options;
  }

  void until(Client& client, const std::vector<std::string>& command, const std::string& part) {
    const uint64_t deadline = clock_ms() + 60000;
    while (client.call(command).text.find(part) == std::string::npos) {
      assert_true(clock_ms() < deadline);
      run_for(loop, 20);
    }
  }
  void wait_until_replica(int index) {
    Client client(loop, url(index));
    until(client, {"INFO", "replication"}, "master_link_status:up");
  }
  // The sentinels take up to twenty seconds to make a replica of a master that has come back,
  // unless they are told to hurry, which Redis before 7 does not understand.
  void hurry() {
    for (int index = 0; index < 3; ++index) {
      Client client(loop, sentinel_url(index));
      client.call({"SENTINEL", "DEBUG", "publish-period", "300", "info-period", "300"});
    }
  }
  // Of one of the two, past the sentinels.
  std::string url(int index) const {
    return "redis://:" + std::string(kPassword) + "@127.0.0.1:" + std::to_string(ports[index]) +
           "/3";
  }

  std::string sentinel_url(int index) const {
    return "redis://:" + std::string(kSentinelPassword) +
           "@127.0.0.1:" + std::to_string(sentinels[index]->port());
  }

  Loop loop;
  const int ports[2] = {free_port(), free_port()};
  std::unique_ptr<RedisServer> redis[2];
  std::unique_ptr<RedisSentinel> sentinels[3];
};

// Sends a write again and again until one works, which must not be long after the sentinels have
// named the other master.
void heal(Deployment& deployment, Client& client) {
  Client sentinel(client.loop, deployment.sentinel_url(0));
  uint64_t named = 0;
  signalbox::Timer ask(client.loop, [&] {
    sentinel.send({"SENTINEL", "get-master-addr-by-name", "mymaster"}, [&](const Reply& reply) {
      if (reply.elements.size() == 2 &&
          reply.elements[1].text == std::to_string(deployment.ports[1])) {
        named = clock_ms();
      } else {
        ask.start(10);
      }
    });
  });
  ask.start(0);

  const Stopwatch watch;
  uint64_t slowest = 0;
  bool healed = false;
  while (!healed && watch.elapsed_ms() < kHealedMs) {
    const uint64_t sent = clock_ms();
    healed = client.call({"SET", "key", "value"}).type == Reply::Type::kText;
    slowest = std::max(slowest, clock_ms() - sent);
    if (!healed) run_for(client.loop, 5);
  }
  const uint64_t end = clock_ms();
  const uint64_t took = watch.elapsed_ms();
  const uint64_t busy = watch.busy_ms();
  assert_true(healed);
  run_until(client.loop, [&] { return named != 0; });
  const uint64_t behind = end - std::min(named, end);
  print_message("healed in %u ms, %u ms after the sentinels; the slowest command took %u ms\n",
                static_cast<unsigned>(took), static_cast<unsigned>(behind),
                static_cast<unsigned>(slowest));
  assert_true(behind < 900 + busy);
  assert_true(slowest < 2000);
}

void a_killed_master_is_replaced(void**) {
  Deployment deployment;
  Loop& loop = deployment.loop;
  Client client(loop, deployment.options());
  assert_int_equal(client.redis->port(), 0);
  assert_string_equal(client.redis->host().c_str(), "mymaster");
  assert_string_equal(client.text({"SET", "key", "before"}).c_str(), "OK");
  assert_int_equal(client.redis->port(), deployment.ports[0]);
  assert_string_equal(client.redis->host().c_str(), "127.0.0.1");
  size_t heard = 0;
  Subscription subscription(
      loop, client.log, deployment.options(), [&](std::string_view, std::string_view) { ++heard; },
      [](bool) {});
  subscription.subscribe("channel");
  subscription.connect();
  run_until(loop, [&] { return subscription.ready(); });

  deployment.redis[0]->kill();
  heal(deployment, client);
  assert_int_equal(client.redis->port(), deployment.ports[1]);
  run_until(loop, [&] { return subscription.ready(); });
  assert_int_equal(client.integer({"PUBLISH", "channel", "x"}), 1);
  run_until(loop, [&] { return heard == 1; });
  {
    Client past(loop, deployment.url(1));
    assert_string_equal(past.text({"GET", "key"}).c_str(), "value");  // in the database asked for
  }

  // The old one comes back, believes itself a master until the sentinels have told it otherwise,
  // and nobody writes to it.
  deployment.redis[0] = start_redis(deployment.ports[0]);
  Client late(loop, deployment.options());
  assert_string_equal(late.text({"SET", "late", "1"}).c_str(), "OK");
  assert_string_equal(client.text({"SET", "early", "1"}).c_str(), "OK");
  for (const Client* each : {&late, &client}) {
    assert_int_equal(each->redis->port(), deployment.ports[1]);
  }
  {
    Client past(loop, deployment.url(0));
    assert_string_equal(past.call({"ROLE"}).elements[0].text.c_str(), "master");
    assert_int_equal(past.integer({"DBSIZE"}), 0);
  }
  deployment.hurry();
  deployment.wait_until_replica(0);
  Client past(loop, deployment.url(0));
  assert_string_equal(past.text({"GET", "late"}).c_str(), "1");
}

void a_hanging_master_is_replaced(void**) {
  Deployment deployment;
  Client client(deployment.loop, deployment.options());
  assert_string_equal(client.text({"SET", "key", "before"}).c_str(), "OK");
  deployment.redis[0]->pause();
  heal(deployment, client);
  assert_int_equal(client.redis->port(), deployment.ports[1]);
  // It comes to itself, still a master in its own eyes.
  deployment.redis[0]->resume();
  assert_string_equal(client.text({"SET", "key", "after"}).c_str(), "OK");
  Client late(deployment.loop, deployment.options());
  assert_string_equal(late.text({"GET", "key"}).c_str(), "after");
  deployment.hurry();
  deployment.wait_until_replica(0);
  assert_string_equal(late.text({"GET", "key"}).c_str(), "after");
}

void sentinels_may_fail(void**) {
  Deployment deployment;
  Loop& loop = deployment.loop;
  deployment.sentinels[0]->kill();
  deployment.sentinels[1]->pause();
  {
    Client client(loop, deployment.options());
    const Stopwatch watch;
    assert_string_equal(client.text({"SET", "key", "value"}).c_str(), "OK");
    assert_took(watch, 450, 1300);
    // From now on the one that answered is asked first.
    deployment.redis[0]->pause();
    deployment.redis[0]->resume();
    client.send({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"});
    run_until(loop, [&] { return !client.redis->connected(); });
    const Stopwatch again;
    client.wait_until_connected();
    assert_took(again, 0, 400);
  }
  // None of them.
  deployment.sentinels[1]->resume();
  for (auto& sentinel : deployment.sentinels) sentinel->kill();
  Client client(loop, deployment.options());
  assert_true(client.call({"PING"}).type == Reply::Type::kUnavailable);
  assert_true(logged(client, "to=mymaster error=\"sentinel 127.0.0.1:"));
  deployment.sentinels[2]->start();
  client.wait_until_connected();
}

void what_the_sentinels_say_is_not_enough(void**) {
  const int port = free_port();
  const auto redis = start_redis(port, {"--replicaof", "127.0.0.1", std::to_string(free_port())});
  const auto sentinel = start_sentinel(port);
  Loop loop;
  Options options;
  options.redis_url = "redis://:" + std::string(kPassword) + "@ignored";
  options.redis_sentinels = {"127.0.0.1:" + std::to_string(sentinel->port())};
  options.redis_master_name = "mymaster";
  options.redis_sentinel_password = kSentinelPassword;
  {
    Client client(loop, options);
    assert_true(client.call({"PING"}).type == Reply::Type::kUnavailable);
    assert_true(logged(client, "it is no master"));
    Client past(loop, "redis://:" + std::string(kPassword) + "@127.0.0.1:" + std::to_string(port));
    past.text({"REPLICAOF", "NO", "ONE"});
    client.wait_until_connected();
  }
  {
    options.redis_master_name = "other";
    Client client(loop, options);
    assert_true(client.call({"PING"}).type == Reply::Type::kUnavailable);
    assert_true(logged(client, "knows no master 'other'"));
  }
  options.redis_master_name = "mymaster";
  options.redis_sentinel_password = "hidden";
  Client client(loop, options);
  assert_true(client.call({"PING"}).type == Reply::Type::kUnavailable);
  assert_true(logged(client, "AUTH: WRONGPASS"));
  assert_false(logged(client, "hidden"));
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_killed_master_is_replaced),
      cmocka_unit_test(a_hanging_master_is_replaced),
      cmocka_unit_test(sentinels_may_fail),
      cmocka_unit_test(what_the_sentinels_say_is_not_enough),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
