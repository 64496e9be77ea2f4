// Nodes of one process: what they say to each other, past Redis, and in what order with what Redis
// says.
#include "engine/store/siblings.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/store/nodes_fixture.h"

namespace {

using signalbox::Loop;
using signalbox::store::Envelope;
using signalbox::store::EnvelopeKind;
using signalbox::store::Siblings;
using signalbox::test::Heard;
using signalbox::test::NodesTest;
using signalbox::test::RedisServer;
using signalbox::test::run_until;
using signalbox::test::TestNode;

std::unique_ptr<RedisServer> server;

struct SiblingsTest : NodesTest {
  SiblingsTest() : NodesTest(*server) { siblings = std::make_shared<Siblings>(); }
};

void a_message_arrives_whole_without_redis(void**) {
  SiblingsTest test;
  test.options.redis_url = "redis://127.0.0.1:1";
  TestNode& a = test.prepare();
  TestNode& b = test.prepare();
  a.open();
  b.open();
  Envelope envelope = a.relay("packet");
  envelope.attachments = {std::string_view("\0\r\n", 3), ""};
  envelope.stamp = 7;
  a.bus.send(b.id(), envelope);
  a.bus.send(b.id(), a.relay("next"));
  assert_int_equal(b.heard.size(), 0);  // not inside the call
  run_until(test.loop, [&] { return b.heard.size() == 2; });
  const Heard& heard = b.heard.front();
  assert_true(heard.kind == EnvelopeKind::kRelay);
  assert_true(heard.sender == a.id() && heard.room == "room" && heard.socket == "socket");
  assert_true(heard.packet == "packet" && heard.stamp == 7);
  assert_true(heard.attachments == (std::vector<std::string>{std::string("\0\r\n", 3), ""}));
  assert_true(b.heard[1].packet == "next");
  assert_int_equal(a.counters.bus_sent, 2);
  assert_int_equal(b.counters.bus_received, 2);
  assert_int_equal(a.bus.waiting(), 0);
}

void another_process_is_reached_over_redis(void**) {
  SiblingsTest test;
  TestNode& a = test.add();
  test.siblings = nullptr;
  TestNode& b = test.add();
  Envelope envelope = a.relay("packet");
  envelope.stamp = 7;
  a.bus.send(b.id(), envelope);
  assert_int_equal(a.bus.waiting(), 1);
  run_until(test.loop, [&] { return !b.heard.empty(); });
  assert_int_equal(b.heard.front().stamp, 0);
}

// Who heeds something that was published has heard before what had been passed by then.
void redis_does_not_overtake(void**) {
  SiblingsTest test;
  TestNode& a = test.add();
  TestNode& b = test.add();
  b.on_heard = [&] {
    if (b.heard.back().packet == "published 1") a.bus.send(b.id(), a.relay("passed"));
  };
  // Both come with one read.
  for (const char* packet : {"published 1", "published 2"}) {
    Envelope envelope = a.relay(packet);
    envelope.sender = a.id();
    a.redis.command({"PUBLISH", signalbox::store::node_channel(b.id()), encode(envelope)},
                    [](const signalbox::store::Reply&) {});
  }
  run_until(test.loop, [&] { return b.heard.size() == 3; });
  assert_true(b.heard[0].packet == "published 1");
  assert_true(b.heard[1].packet == "passed");
  assert_true(b.heard[2].packet == "published 2");
}

void more_than_may_wait_is_dropped_and_counted(void**) {
  SiblingsTest test;
  test.options.node_max_buffered = 1000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  for (int i = 0; i < 20; ++i) a.bus.send(b.id(), a.relay(std::string(100, 'x')));
  assert_in_range(a.counters.bus_sent, 3, 9);
  assert_int_equal(a.counters.bus_sent + a.counters.bus_dropped, 20);
  run_until(test.loop, [&] { return b.heard.size() == a.counters.bus_sent; });
  a.bus.send(b.id(), a.relay("again"));
  assert_int_equal(a.counters.bus_dropped + b.heard.size(), 20);
}

void who_has_closed_gets_nothing(void**) {
  SiblingsTest test;
  TestNode& a = test.add();
  TestNode& b = test.add();
  a.bus.send(b.id(), a.relay("1"));
  b.bus.close();
  a.bus.send(b.id(), a.relay("2"));
  signalbox::test::run_for(test.loop, 20);
  assert_int_equal(b.heard.size(), 0);
  assert_int_equal(a.counters.bus_sent, 1);  // the other goes over Redis, as to any that has gone
}

void a_node_is_found_by_its_new_name(void**) {
  SiblingsTest test;
  TestNode& a = test.add();
  TestNode& b = test.prepare();
  const std::string wanted = b.id();
  test.pretend(wanted, 1'000'000);
  b.open();
  b.wait_until_registered();
  assert_true(b.id() != wanted);
  a.bus.send(b.id(), a.relay("new"));
  a.bus.send(wanted, a.relay("old"));
  run_until(test.loop, [&] { return !b.heard.empty(); });
  assert_true(b.heard.front().packet == "new");
  assert_int_equal(a.counters.bus_sent, 1);
}

// From many threads at once, each on its own loop: all arrive, those of each in order.
void threads_pass_to_each_other(void**) {
  constexpr size_t kNodes = 4;
  constexpr size_t kEach = 5000;
  constexpr size_t kMost = 1'000'000;
  Siblings siblings;
  std::atomic<size_t> wrong = 0;
  const auto name = [](size_t node) { return "nod" + std::to_string(node); };
  const auto serve = [&](size_t self) {
    Loop loop;
    std::vector<std::vector<size_t>> heard(kNodes);
    size_t count = 0;
    const auto inbox = std::make_shared<Siblings::Inbox>(loop, [&](std::string_view bytes) {
      Envelope envelope;
      if (decode(bytes, envelope) != signalbox::store::DecodeResult::kOk) ++wrong;
      heard[std::stoul(std::string(envelope.room))].push_back(
          std::stoul(std::string(envelope.packet)));
      ++count;
    });
    siblings.enter(name(self), inbox);
    size_t sent = 0;
    std::vector<size_t> next(kNodes, 0);
    while (sent < kEach * (kNodes - 1) || count < kEach * (kNodes - 1)) {
      for (size_t to = 0; to < kNodes; ++to) {
        if (to == self || next[to] == kEach) continue;
        const std::string room = std::to_string(self);
        const std::string packet = std::to_string(next[to]);
        const std::string sender = name(self);
        Envelope envelope;
        envelope.sender = sender;
        envelope.room = room;
        envelope.packet = packet;
        // kAbsent: it has yet to come; kFull: it is slow.
        if (siblings.pass(name(to), envelope, kMost) != Siblings::Passed::kYes) continue;
        ++next[to];
        ++sent;
      }
      loop.turn(0);
    }
    for (size_t from = 0; from < kNodes; ++from) {
      if (from == self) continue;
      if (heard[from].size() != kEach || !std::ranges::is_sorted(heard[from])) ++wrong;
    }
    siblings.leave(name(self), inbox);
    inbox->close();
  };
  std::vector<std::thread> threads;
  for (size_t self = 0; self < kNodes; ++self) threads.emplace_back(serve, self);
  for (std::thread& each : threads) each.join();
  assert_int_equal(wrong, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_message_arrives_whole_without_redis),
      cmocka_unit_test(another_process_is_reached_over_redis),
      cmocka_unit_test(redis_does_not_overtake),
      cmocka_unit_test(more_than_may_wait_is_dropped_and_counted),
      cmocka_unit_test(who_has_closed_gets_nothing),
      cmocka_unit_test(a_node_is_found_by_its_new_name),
      cmocka_unit_test(threads_pass_to_each_other),
  };
  server = std::make_unique<RedisServer>();
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
