// Messages between nodes: their order, that none comes twice, and what becomes of them while Redis
// or the other node's subscription is away.
#include <memory>
#include <string>
#include <vector>

#include "tests/lib/stopwatch.h"
#include "tests/store/nodes_fixture.h"

namespace {

using signalbox::Loop;
using signalbox::store::encode;
using signalbox::store::Envelope;
using signalbox::store::EnvelopeKind;
using signalbox::store::node_channel;
using signalbox::test::Client;
using signalbox::test::Heard;
using signalbox::test::NodesTest;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;
using signalbox::test::TestNode;

std::unique_ptr<RedisServer> server;

// Messages tell their numbers.
void say(TestNode& from, const std::string& to, size_t first, size_t last) {
  for (size_t i = first; i <= last; ++i) from.bus.send(to, from.relay(std::to_string(i)));
}

std::vector<size_t> numbers(const TestNode& node) {
  std::vector<size_t> all;
  for (const Heard& each : node.heard) all.push_back(std::stoul(each.packet));
  return all;
}

// Each once, in order, none missing.
void assert_heard(const TestNode& node, size_t first, size_t last) {
  std::vector<size_t> expected;
  for (size_t i = first; i <= last; ++i) expected.push_back(i);
  assert_int_equal(node.heard.size(), expected.size());
  assert_true(numbers(node) == expected);
}

void wait_until_heard(TestNode& node, size_t last) {
  run_until(node.loop, [&] {
    return !node.heard.empty() && node.heard.back().packet == std::to_string(last);
  });
}

void one_message_arrives_whole(void**) {
  NodesTest test(*server);
  TestNode& a = test.add();
  TestNode& b = test.add();
  Envelope envelope = a.relay("packet");
  envelope.attachments = {std::string_view("\0\r\n", 3), ""};
  a.bus.send(b.id(), envelope);
  run_until(test.loop, [&] { return !b.heard.empty(); });
  const Heard& heard = b.heard.front();
  assert_true(heard.kind == EnvelopeKind::kRelay);
  assert_true(heard.sender == a.id() && heard.room == "room" && heard.socket == "socket");
  assert_true(heard.packet == "packet");
  assert_true(heard.attachments == (std::vector<std::string>{std::string("\0\r\n", 3), ""}));
  assert_int_equal(heard.sequence, 1);
}

void ten_thousand_keep_their_order(void**) {
  NodesTest test(*server);
  test.options.node_ttl = 10'000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  constexpr size_t kCount = 10'000;
  say(a, b.id(), 1, kCount / 2);
  say(b, a.id(), 1, 100);  // both ways at once
  run_for(test.loop, 1);
  say(a, b.id(), kCount / 2 + 1, kCount);
  wait_until_heard(b, kCount);
  wait_until_heard(a, 100);
  assert_heard(b, 1, kCount);
  assert_heard(a, 1, 100);
  assert_int_equal(a.counters.bus_sent, kCount);
  assert_int_equal(b.counters.bus_received, kCount);
  assert_int_equal(b.counters.bus_missed + a.counters.bus_dropped, 0);
  assert_int_equal(a.bus.waiting() + b.bus.waiting(), 0);
}

// More than may be under way to Redis: the rest is sent later, or counted.
void too_many_at_once_are_counted(void**) {
  NodesTest test(*server);
  test.options.redis_max_pending = 100;
  test.options.node_ttl = 3000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  say(a, b.id(), 1, 1000);
  wait_until_heard(b, 1000);
  const std::vector<size_t> got = numbers(b);
  assert_true(std::is_sorted(got.begin(), got.end()));
  assert_true(std::adjacent_find(got.begin(), got.end()) == got.end());
  assert_int_equal(got.size() + b.counters.bus_missed, 1000);
  run_until(test.loop, [&] { return a.counters.bus_sent + a.counters.bus_dropped == 1000; });
  assert_int_equal(a.counters.bus_dropped, b.counters.bus_missed);
}

// Since CONFIG RESETSTAT.
size_t publications(NodesTest& test) {
  const std::string stats = test.client.text({"INFO", "commandstats"});
  const std::string calls = "cmdstat_publish:calls=";
  return std::stoul(stats.substr(stats.find(calls) + calls.size()));
}

// What is published while nobody listens waits.
void messages_wait_for_a_subscription(void**) {
  NodesTest test(*server);
  TestNode& a = test.add();
  TestNode& b = test.add();
  say(a, b.id(), 1, 10);
  wait_until_heard(b, 10);
  for (size_t round = 0; round < 3; ++round) {
    test.client.call({"CLIENT", "KILL", "TYPE", "pubsub"});
    say(a, b.id(), 11 + round * 100, 60 + round * 100);
    run_for(test.loop, 20);
    say(a, b.id(), 61 + round * 100, 110 + round * 100);
    wait_until_heard(b, 110 + round * 100);
    run_until(test.loop,
              [&] { return b.missed == round + 1; });  // whether it was heard before or not
  }
  assert_heard(b, 1, 310);
  assert_int_equal(a.counters.bus_sent, 310);
  assert_int_equal(a.counters.bus_dropped + b.counters.bus_missed, 0);
}

// Those of which only the answer was lost are sent again, and known again.
void a_lost_connection_doubles_nothing(void**) {
  NodesTest test(*server);
  test.options.node_ttl = 5000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  size_t last = 0;
  for (int round = 0; round < 4; ++round) {
    say(a, b.id(), last + 1, last + 200);
    last += 200;
    test.loop.turn(0);  // written, and not answered
    test.client.send({"CLIENT", "KILL", "TYPE", "normal"});
    run_until(test.loop, [&] { return test.client.redis->connected() && a.redis.connected(); });
  }
  wait_until_heard(b, last);
  assert_heard(b, 1, last);
  assert_int_equal(b.counters.bus_received, last);
  assert_int_equal(a.counters.bus_dropped + b.counters.bus_missed, 0);
}

// What Redis had taken and not handed out has gone with it; the counters tell how much.
void a_redis_that_dies_doubles_nothing(void**) {
  RedisServer mortal;
  NodesTest test(mortal);
  test.options.node_ttl = 5000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  size_t last = 0;
  for (int round = 0; round < 3; ++round) {
    say(a, b.id(), last + 1, last + 2000);
    last += 2000;
    const size_t before = b.heard.size();
    run_until(test.loop, [&] { return b.heard.size() > before + 100; });
    mortal.kill();
    say(a, b.id(), last + 1, last + 100);  // while it is away
    last += 100;
    mortal.start();
    run_until(test.loop, [&] { return a.bus.waiting() == 0 && a.registry.registered(); });
    run_until(test.loop, [&] { return b.missed >= static_cast<size_t>(round) + 1; });
    say(a, b.id(), last + 1, last + 1);
    ++last;
    wait_until_heard(b, last);
  }
  const std::vector<size_t> got = numbers(b);
  for (size_t i = 1; i < got.size(); ++i) assert_true(got[i] > got[i - 1]);
  assert_int_equal(b.counters.bus_received, got.size());
  assert_int_equal(b.counters.bus_received + b.counters.bus_missed, last);
}

void no_more_than_so_many_bytes_wait(void**) {
  NodesTest test(*server);
  test.options.node_max_buffered = 10'000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  const std::string packet(1000, 'x');
  const Envelope envelope = a.relay(packet);
  for (int i = 0; i < 20; ++i) a.bus.send("none", envelope);
  const size_t waiting = 20 - a.counters.bus_dropped;
  assert_in_range(waiting, 8, 9);
  // Whoever they wait for: the bound is one for all.
  a.bus.send(b.id(), envelope);
  assert_int_equal(a.counters.bus_dropped, 20 - waiting + 1);
  a.bus.send(b.id(), a.relay("1"));
  wait_until_heard(b, 1);
  // Given up, they leave their place to others; the one that was dropped left no gap.
  run_until(test.loop, [&] { return a.counters.bus_dropped == 21; });
  a.bus.send(b.id(), a.relay(std::string(5000, '2')));
  run_until(test.loop, [&] { return b.heard.size() == 2; });
  assert_int_equal(b.counters.bus_missed, 0);
}

void a_node_that_nobody_hears_is_given_up_in_time(void**) {
  NodesTest test(*server);
  TestNode& a = test.add();
  const Stopwatch watch;
  say(a, "none", 1, 3);
  run_for(test.loop, NodesTest::kTtl / 2);
  say(a, "none", 4, 5);
  assert_int_equal(a.bus.waiting(), 0);  // of nodes that listen
  run_until(test.loop, [&] { return a.counters.bus_dropped >= 3; });
  assert_took(watch, NodesTest::kTtl, NodesTest::kTtl + 400);
  run_until(test.loop, [&] { return a.counters.bus_dropped == 5; });
  assert_took(watch, NodesTest::kTtl * 3 / 2, NodesTest::kTtl * 3 / 2 + 400);
  assert_int_equal(a.counters.bus_sent, 0);
}

// Of those that wait only the first is tried again: the others would come out of order, or for
// nothing.
void a_node_that_nobody_hears_costs_little(void**) {
  NodesTest test(*server);
  test.options.node_ttl = 5000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  const std::string channel = node_channel(b.id());
  b.bus.ignore(channel);
  run_until(test.loop, [&] { return test.client.integer({"PUBLISH", channel, "x"}) == 0; });
  say(a, b.id(), 1, 1);
  run_for(test.loop, 50);
  test.client.call({"CONFIG", "RESETSTAT"});
  say(a, b.id(), 2, 500);
  run_for(test.loop, 350);
  assert_in_range(publications(test), 1, 10);
  b.bus.listen(channel);
  wait_until_heard(b, 500);
  assert_heard(b, 1, 500);
}

// More than may wait for Redis at a time: nothing is refused, and the rest has its turn, too.
void a_long_queue_is_sent_piece_by_piece(void**) {
  RedisServer slow;
  NodesTest test(slow);
  test.options.node_ttl = 20'000;
  test.options.redis_command_timeout = 200;
  test.options.redis_max_pending = 300;
  TestNode& a = test.add();
  TestNode& b = test.add();
  slow.pause();
  say(a, b.id(), 1, 5000);
  run_until(test.loop, [&] { return !a.redis.connected(); });
  slow.resume();
  run_until(test.loop, [&] {
    assert_true(a.redis.health().pending < 300);
    return b.heard.size() == 5000;
  });
  assert_heard(b, 1, 5000);
  assert_int_equal(a.counters.bus_dropped + b.counters.bus_missed, 0);
}

// The other node may need longer to be back than this one: of many that wait only the first is sent
// until it is heard.
void after_a_lost_connection_one_message_finds_out(void**) {
  NodesTest test(*server);
  test.options.node_ttl = 5000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  say(a, b.id(), 1, 1);
  wait_until_heard(b, 1);
  const std::string channel = node_channel(b.id());
  b.bus.ignore(channel);
  run_until(test.loop, [&] { return test.client.integer({"PUBLISH", channel, "x"}) == 0; });
  test.client.send({"CLIENT", "KILL", "TYPE", "normal"});
  run_until(test.loop, [&] { return !a.redis.connected(); });
  test.client.wait_until_connected();
  test.client.call({"CONFIG", "RESETSTAT"});
  say(a, b.id(), 2, 200);
  run_until(test.loop, [&] { return a.redis.connected(); });
  run_for(test.loop, 250);
  assert_in_range(publications(test), 1, 8);
  b.bus.listen(channel);
  wait_until_heard(b, 200);
  assert_heard(b, 1, 200);
}

// A script of somebody else's keeps Redis busy: that passes.
void messages_wait_while_redis_is_busy(void**) {
  RedisServer busy;
  NodesTest test(busy);
  test.options.node_ttl = 20'000;
  test.options.redis_command_timeout = 10'000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  test.client.call({"CONFIG", "SET", "busy-reply-threshold", "1"});
  Client other(test.loop, test.url);
  other.wait_until_connected();
  test.client.send({"EVAL", "while true do end", "0"});
  run_until(test.loop, [&] { return other.call({"PING"}).text.starts_with("BUSY"); });
  say(a, b.id(), 1, 10);
  run_for(test.loop, 250);
  assert_int_equal(b.heard.size(), 0);
  other.call({"SCRIPT", "KILL"});
  wait_until_heard(b, 10);
  assert_heard(b, 1, 10);
  assert_int_equal(a.counters.bus_dropped, 0);
}

// The other node begins to listen between two messages that are under way: the first cannot be sent
// again.
void what_would_come_out_of_order_is_dropped(void**) {
  RedisServer slow;
  NodesTest test(slow);
  test.options.node_ttl = 5000;
  TestNode& a = test.add();
  TestNode& b = test.add();
  const std::string channel = node_channel(b.id());
  b.bus.ignore(channel);
  run_until(test.loop, [&] { return test.client.integer({"PUBLISH", channel, "x"}) == 0; });
  slow.pause();
  say(a, b.id(), 1, 1);
  test.loop.turn(0);
  b.bus.listen(channel);
  test.loop.turn(0);
  slow.resume();
  Loop other;  // Redis has dealt with both, and neither a nor b has read its answer
  assert_int_equal(Client(other, test.url).integer({"PUBLISH", channel, "x"}), 1);
  say(a, b.id(), 2, 3);
  wait_until_heard(b, 3);
  assert_heard(b, 2, 3);
  run_until(test.loop, [&] { return a.counters.bus_sent == 2; });
  assert_int_equal(a.counters.bus_dropped, 1);
  assert_int_equal(b.counters.bus_missed, 1);
}

// So are those that wait for Redis; but not sooner.
void without_redis_messages_wait_in_time(void**) {
  RedisServer mortal;
  NodesTest test(mortal);
  TestNode& a = test.add();
  TestNode& b = test.add();
  mortal.kill();
  run_until(test.loop, [&] { return !a.redis.connected(); });
  say(a, b.id(), 1, 5);
  assert_int_equal(a.bus.waiting(), 5);
  run_until(test.loop, [&] { return a.counters.bus_dropped == 5; });
  say(a, b.id(), 6, 10);
  mortal.start();
  // Whether they are still in time or not depends on when the link tries again.
  run_until(test.loop, [&] { return a.counters.bus_dropped + a.counters.bus_sent == 10; });
  run_until(test.loop, [&] { return b.missed > 0; });
  say(a, b.id(), 11, 11);
  wait_until_heard(b, 11);
  assert_int_equal(b.counters.bus_received + b.counters.bus_missed, 11);
  assert_true(b.missed >= 2);  // its subscription was away, and there was a gap
}

void a_gap_is_noticed(void**) {
  NodesTest test(*server);
  TestNode& b = test.add();
  Envelope envelope = b.relay("");
  envelope.sender = "aaaa";
  envelope.route = 5;
  const auto publish = [&](uint64_t sequence) {
    envelope.sequence = sequence;
    const std::string packet = std::to_string(sequence);
    envelope.packet = packet;
    assert_int_equal(test.client.integer({"PUBLISH", node_channel(b.id()), encode(envelope)}), 1);
  };
  publish(1);
  publish(2);
  publish(2);
  publish(1);
  wait_until_heard(b, 2);
  assert_int_equal(b.missed, 0);
  publish(6);
  wait_until_heard(b, 6);
  assert_int_equal(b.counters.bus_missed, 3);
  assert_int_equal(b.missed, 1);
  publish(4);  // it is late, and would be out of order
  publish(7);
  wait_until_heard(b, 7);
  assert_true(numbers(b) == (std::vector<size_t>{1, 2, 6, 7}));
  // A new route begins at 1, and what was lost before is none of its business.
  envelope.route = 6;
  publish(1);
  wait_until_heard(b, 1);
  assert_int_equal(b.counters.bus_missed, 3);
  // Another node's numbers are its own.
  envelope.sender = "cccc";
  publish(1);
  run_until(test.loop, [&] { return b.heard.size() == 6; });
  assert_int_equal(b.missed, 1);
  // What Redis itself says has no number, and is never late.
  publish(0);
  publish(0);
  run_until(test.loop, [&] { return b.heard.size() == 8; });
  assert_int_equal(b.counters.bus_received, 8);
  assert_int_equal(b.missed, 1);
}

// Not taken for a gap either: it came.
void what_is_not_understood_is_counted(void**) {
  NodesTest test(*server);
  TestNode& b = test.add();
  Envelope envelope = b.relay("1");
  envelope.sender = "aaaa";
  const auto publish = [&](std::string bytes) {
    test.client.integer({"PUBLISH", node_channel(b.id()), std::move(bytes)});
  };
  std::string later_version = encode(envelope);
  later_version[0] = 2;
  publish(later_version);
  publish("");
  publish("garbage");
  publish(std::string(40, '\x01'));
  envelope.sequence = 1;
  envelope.kind = static_cast<EnvelopeKind>(200);
  publish(encode(envelope));
  envelope.sequence = 2;
  envelope.kind = EnvelopeKind::kRelay;
  publish(encode(envelope));
  wait_until_heard(b, 1);
  assert_int_equal(b.counters.bus_not_understood, 5);
  assert_int_equal(b.counters.bus_received, 1);
  assert_int_equal(b.counters.bus_missed, 0);
}

// Here it is dead because nobody wants the channel any more; what the node sees is the same.
void a_subscription_that_hears_nothing_is_made_anew(void**) {
  NodesTest test(*server);
  test.options.redis_command_timeout = 150;
  TestNode& a = test.add();
  TestNode& b = test.add();
  run_for(test.loop, 400);
  assert_int_equal(b.missed, 0);  // all is well: nothing is made anew
  b.bus.ignore(node_channel(b.id()));
  run_until(test.loop, [&] { return b.missed > 0; });
  b.bus.listen(node_channel(b.id()));
  say(a, b.id(), 1, 1);
  wait_until_heard(b, 1);
  assert_int_equal(a.missed, 0);
}

// Then the subscription is not at fault.
void a_redis_that_hangs_is_not_taken_for_a_dead_subscription(void**) {
  RedisServer slow;
  NodesTest test(slow);
  test.options.redis_command_timeout = 150;
  test.options.node_ttl = 800;
  TestNode& a = test.add();
  for (int round = 0; round < 2; ++round) {
    slow.pause();
    run_until(test.loop, [&] { return !a.redis.connected(); });
    run_for(test.loop, 200);
    slow.resume();
    a.wait_until_registered();
    run_for(test.loop, 250);
  }
  assert_int_equal(a.missed, 0);
}

void another_id_is_listened_to(void**) {
  NodesTest test(*server);
  TestNode& a = test.add();
  TestNode& b = test.add();
  const std::string before = b.id();
  b.bus.open("newb");
  run_until(test.loop, [&] {
    return test.client.integer({"PUBLISH", node_channel(before), "x"}) == 0;
  });
  say(a, "newb", 1, 3);
  wait_until_heard(b, 3);
  b.bus.send(a.id(), b.relay("1"));
  wait_until_heard(a, 1);
  assert_true(a.heard.back().sender == "newb");
}

void all_that_listen_hear_a_channel(void**) {
  NodesTest test(*server);
  TestNode& a = test.add();
  TestNode& b = test.add();
  TestNode& c = test.add();
  b.bus.listen("news");
  a.bus.listen("news");
  const auto listening = [&] {
    return test.client.call({"PUBSUB", "NUMSUB", "news"}).elements.at(1).integer;
  };
  run_until(test.loop, [&] { return listening() == 2; });
  a.bus.publish("news", a.relay("1"));
  a.bus.publish("news", a.relay("2"));
  wait_until_heard(b, 2);
  wait_until_heard(a, 2);
  b.bus.ignore("news");
  run_until(test.loop, [&] { return listening() == 1; });
  a.bus.publish("news", a.relay("3"));
  wait_until_heard(a, 3);
  say(a, c.id(), 7, 7);
  wait_until_heard(c, 7);
  assert_heard(c, 7, 7);
  assert_heard(b, 1, 2);
  run_until(test.loop, [&] { return a.counters.bus_sent == 4; });
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(one_message_arrives_whole),
      cmocka_unit_test(ten_thousand_keep_their_order),
      cmocka_unit_test(too_many_at_once_are_counted),
      cmocka_unit_test(messages_wait_for_a_subscription),
      cmocka_unit_test(a_lost_connection_doubles_nothing),
      cmocka_unit_test(a_redis_that_dies_doubles_nothing),
      cmocka_unit_test(no_more_than_so_many_bytes_wait),
      cmocka_unit_test(a_node_that_nobody_hears_is_given_up_in_time),
      cmocka_unit_test(a_node_that_nobody_hears_costs_little),
      cmocka_unit_test(a_long_queue_is_sent_piece_by_piece),
      cmocka_unit_test(after_a_lost_connection_one_message_finds_out),
      cmocka_unit_test(messages_wait_while_redis_is_busy),
      cmocka_unit_test(what_would_come_out_of_order_is_dropped),
      cmocka_unit_test(without_redis_messages_wait_in_time),
      cmocka_unit_test(a_gap_is_noticed),
      cmocka_unit_test(what_is_not_understood_is_counted),
      cmocka_unit_test(a_subscription_that_hears_nothing_is_made_anew),
      cmocka_unit_test(a_redis_that_hangs_is_not_taken_for_a_dead_subscription),
      cmocka_unit_test(another_id_is_listened_to),
      cmocka_unit_test(all_that_listen_hear_a_channel),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
