// Who cleans up after a dead node takes its sockets out of their rooms, tells whoever is left, and
// stops as soon as it is somebody else's duty.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/store/nodes_fixture.h"

namespace {

using signalbox::store::EnvelopeKind;
using signalbox::store::node_key;
using signalbox::store::node_left_key;
using signalbox::store::node_sockets_key;
using signalbox::store::nodes_key;
using signalbox::test::Heard;
using signalbox::test::NodesEar;
using signalbox::test::NodesTest;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::TestNode;

constexpr int64_t kLong = 1'000'000;

std::unique_ptr<RedisServer> server;

// Of a dead node: `sockets` of them, in turn in one of `rooms` rooms that are named 0, 1, 2...
void pretend_sockets(NodesTest& test, const std::string& node, int sockets, int rooms) {
  size_t sent = 0;
  for (int i = 0; i < sockets; ++i) {
    const std::string socket = node + std::to_string(i);
    const std::string room = std::to_string(i % rooms);
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"HSETNX", "room:" + room, "created_at", "1"},
                                               {"EXPIRE", "room:" + room, "86400"},
                                               {"SADD", "room:" + room + ":sockets", socket},
                                               {"SET", "socket:" + socket, room},
                                               {"HSET", node_sockets_key(node), socket, room}}) {
      test.client.send(command);
      ++sent;
    }
  }
  run_until(test.loop, [&] { return test.client.replies.size() == sent; });
  test.client.replies.clear();
}

// A node that has the duty to clean up after `node`, and nothing else to do.
TestNode& add_cleaner(NodesTest& test, const std::string& node) {
  test.options.node_ttl = 10'000;
  TestNode& cleaner = test.add();
  test.client.call({"HSET", node_key(node), "cleaner", cleaner.id()});
  test.set_lease(node, kLong);
  return cleaner;
}

size_t sockets_left(NodesTest& test, const std::string& node) {
  return test.client.call({"KEYS", "socket:" + node + "*"}).elements.size();
}

void a_dead_nodes_sockets_leave_their_rooms(void**) {
  NodesTest test(*server);
  constexpr int kSockets = 1000;
  constexpr int kRooms = 300;
  pretend_sockets(test, "dead", kSockets, kRooms);
  // In every third room there is somebody left: in some of two nodes, and twice of one.
  for (int room = 0; room < kRooms; room += 3) {
    test.pretend_member(std::to_string(room), "bbbb" + std::to_string(room));
    test.pretend_member(std::to_string(room), "bbbb_" + std::to_string(room));
    if (room % 2 == 0) test.pretend_member(std::to_string(room), "cccc" + std::to_string(room));
  }
  NodesEar ear(test.loop, test.url, {"bbbb", "cccc", "dead"});
  TestNode& cleaner = add_cleaner(test, "dead");
  cleaner.cleaner.clean("dead");
  run_until(test.loop, [&] { return cleaner.counters.nodes_cleaned == 1; });

  std::vector<std::string> expected;
  for (int i = 0; i < kSockets; ++i) {
    const int room = i % kRooms;
    if (room % 3 != 0) continue;
    const std::string what = " left " + std::to_string(room) + " dead" + std::to_string(i);
    expected.push_back("bbbb" + what);
    if (room % 2 == 0) expected.push_back("cccc" + what);
  }
  std::sort(expected.begin(), expected.end());
  assert_true(ear.take(test.client) == expected);

  assert_int_equal(sockets_left(test, "dead"), 0);
  for (const std::string& key :
       {node_key("dead"), node_sockets_key("dead"), node_left_key("dead")}) {
    assert_false(test.exists(key));
  }
  assert_true(test.lease("dead").empty());
  for (int room = 0; room < kRooms; ++room) {
    const std::string key = "room:" + std::to_string(room);
    const int64_t ttl = test.client.integer({"TTL", key});
    if (room % 3 == 0) {
      assert_int_equal(test.client.integer({"SCARD", key + ":sockets"}), room % 2 == 0 ? 3 : 2);
      assert_true(ttl > 80'000);
    } else {
      assert_false(test.exists(key + ":sockets"));
      assert_in_range(ttl, test.options.rooms_empty_ttl - 20, test.options.rooms_empty_ttl);
    }
  }
}

// What is in no room, what is in another one, and what nobody remembers.
void an_index_may_say_too_much(void**) {
  NodesTest test(*server);
  const std::string index = node_sockets_key("dead");
  test.client.call({"HSET", index, "dead1", "gone"});
  test.client.call({"HSET", "room:r", "created_at", "1"});
  test.client.call({"HSET", index, "dead2", "r"});
  test.pretend_member("s", "dead3");
  test.client.call({"HSET", index, "dead3", "r"});
  NodesEar ear(test.loop, test.url, {"dead"});
  TestNode& cleaner = add_cleaner(test, "dead");
  cleaner.cleaner.clean("dead");
  run_until(test.loop, [&] { return cleaner.counters.nodes_cleaned == 1; });
  assert_false(test.exists(index) || test.exists(node_left_key("dead")));
  assert_int_equal(test.client.integer({"TTL", "room:r"}), -1);  // it was empty before
  assert_true(test.client.text({"GET", "socket:dead3"}) == "s");
  assert_true(ear.take(test.client).empty());
}

// Those set aside come first, then what the dead node's last commands have added.
void an_earlier_cleaners_work_is_finished(void**) {
  NodesTest test(*server);
  pretend_sockets(test, "dead", 250, 10);
  test.client.call({"RENAME", node_sockets_key("dead"), node_left_key("dead")});
  test.pretend_member("0", "deadX");
  TestNode& cleaner = add_cleaner(test, "dead");
  cleaner.cleaner.clean("dead");
  cleaner.cleaner.clean("dead");  // once is enough
  run_until(test.loop, [&] { return cleaner.counters.nodes_cleaned == 1; });
  assert_int_equal(sockets_left(test, "dead"), 0);
  assert_false(test.exists(node_sockets_key("dead")) || test.exists(node_left_key("dead")));
  run_for(test.loop, 50);
  assert_int_equal(cleaner.counters.nodes_cleaned, 1);
}

void several_nodes_are_cleaned_up_after_in_turn(void**) {
  NodesTest test(*server);
  for (const char* node : {"dea1", "dea2", "dea3"}) pretend_sockets(test, node, 150, 7);
  TestNode& cleaner = add_cleaner(test, "dea1");
  for (const char* node : {"dea1", "dea2", "dea3"}) {
    test.client.call({"HSET", node_key(node), "cleaner", cleaner.id()});
    test.set_lease(node, kLong);
  }
  for (const char* node : {"dea1", "dea2", "dea3"}) cleaner.cleaner.clean(node);
  run_until(test.loop, [&] { return cleaner.counters.nodes_cleaned == 3; });
  for (const char* node : {"dea1", "dea2", "dea3"}) {
    assert_int_equal(sockets_left(test, node), 0);
    assert_true(test.lease(node).empty());
  }
  assert_int_equal(test.client.call({"KEYS", "room:*:sockets"}).elements.size(), 0);
}

// Each page makes the claim last: a clean-up may take longer than a lease.
void a_claim_is_renewed_with_each_page(void**) {
  NodesTest test(*server);
  pretend_sockets(test, "dead", 600, 10);
  TestNode& cleaner = add_cleaner(test, "dead");
  test.set_lease("dead", -kLong);
  cleaner.cleaner.clean("dead");
  run_until(test.loop, [&] { return sockets_left(test, "dead") < 550; });
  assert_true(sockets_left(test, "dead") > 0);
  const std::vector<signalbox::store::Reply> time = test.client.call({"TIME"}).elements;
  assert_true(std::stod(test.lease("dead")) > std::stod(time[0].text) * 1000);
  run_until(test.loop, [&] { return cleaner.counters.nodes_cleaned == 1; });
}

void a_cleaner_that_loses_the_claim_stops(void**) {
  NodesTest test(*server);
  pretend_sockets(test, "dead", 2000, 10);
  test.pretend_member("0", "bbbb");
  TestNode& cleaner = add_cleaner(test, "dead");
  cleaner.cleaner.clean("dead");
  run_until(test.loop, [&] { return sockets_left(test, "dead") < 1900; });
  test.client.call({"HSET", node_key("dead"), "cleaner", "next"});
  const size_t left = sockets_left(test, "dead");
  assert_true(left > 0);
  const std::string lease = test.lease("dead");
  run_for(test.loop, 150);
  assert_int_equal(sockets_left(test, "dead"), left);
  assert_int_equal(cleaner.counters.nodes_cleaned, 0);
  assert_true(test.client.text({"HGET", node_key("dead"), "cleaner"}) == "next");
  assert_true(test.lease("dead") == lease);

  // The next one finishes it, and it alone.
  TestNode& next = test.add();
  test.client.call({"HSET", node_key("dead"), "cleaner", next.id()});
  next.cleaner.clean("dead");
  run_until(test.loop, [&] { return next.counters.nodes_cleaned == 1; });
  assert_int_equal(sockets_left(test, "dead"), 0);
  assert_int_equal(cleaner.counters.nodes_cleaned, 0);
}

// The claim may be lost before the cleaner gets to that node; it may even be back.
void a_cleaner_without_the_claim_leaves_the_index_alone(void**) {
  NodesTest test(*server);
  pretend_sockets(test, "back", 3, 1);
  test.pretend("back", kLong);
  TestNode& node = test.add();
  node.cleaner.clean("back");
  run_for(test.loop, 100);
  assert_int_equal(test.client.integer({"HLEN", node_sockets_key("back")}), 3);
  assert_false(test.exists(node_left_key("back")));
  assert_int_equal(sockets_left(test, "back"), 3);
  assert_int_equal(node.counters.nodes_cleaned, 0);
  assert_false(test.lease("back").empty());
  // That does not stop it from what is its duty.
  pretend_sockets(test, "dead", 3, 1);
  test.client.call({"HSET", node_key("dead"), "cleaner", node.id()});
  node.cleaner.clean("dead");
  run_until(test.loop, [&] { return node.counters.nodes_cleaned == 1; });
}

void without_redis_a_cleaner_gives_up(void**) {
  NodesTest test(*server);
  pretend_sockets(test, "dead", 2000, 10);
  TestNode& cleaner = add_cleaner(test, "dead");
  cleaner.cleaner.clean("dead");
  run_until(test.loop, [&] { return sockets_left(test, "dead") < 1900; });
  test.client.call({"CLIENT", "KILL", "TYPE", "normal"});
  run_until(test.loop, [&] { return cleaner.registered == 2 && test.client.redis->connected(); });
  const size_t left = sockets_left(test, "dead");
  assert_true(left > 0);
  run_for(test.loop, 100);
  assert_int_equal(sockets_left(test, "dead"), left);
  cleaner.cleaner.clean("dead");  // it is its turn once more
  run_until(test.loop, [&] { return cleaner.counters.nodes_cleaned == 1; });
  assert_int_equal(sockets_left(test, "dead"), 0);
}

// At the end of its own node.
void a_cleaner_that_is_told_to_stops(void**) {
  NodesTest test(*server);
  pretend_sockets(test, "dead", 2000, 10);
  TestNode& cleaner = add_cleaner(test, "dead");
  cleaner.cleaner.clean("dead");
  run_until(test.loop, [&] { return sockets_left(test, "dead") < 1900; });
  cleaner.cleaner.give_up();
  run_for(test.loop, 100);  // what was under way
  const size_t left = sockets_left(test, "dead");
  assert_true(left > 0);
  run_for(test.loop, 100);
  assert_int_equal(sockets_left(test, "dead"), left);
  assert_int_equal(cleaner.counters.nodes_cleaned, 0);
}

// All of it together: nodes find the dead one themselves, and each hears of each of its sockets.
void nodes_clean_up_after_a_dead_one(void**) {
  NodesTest test(*server);
  TestNode& a = test.add();
  TestNode& b = test.add();
  TestNode& dead = test.add();
  constexpr int kSockets = 120;
  constexpr int kRooms = 4;
  for (int room = 0; room < kRooms; ++room) {
    test.client.call({"HSET", "room:" + std::to_string(room), "created_at", "1"});
    a.join(std::to_string(room), a.socket(std::to_string(room)));
    if (room % 2 == 0) b.join(std::to_string(room), b.socket(std::to_string(room)));
  }
  for (int i = 0; i < kSockets; ++i) {
    dead.join(std::to_string(i % kRooms), dead.socket(std::to_string(i)));
  }
  const std::string id = dead.id();
  dead.die();
  const auto cleaned = [&] { return a.counters.nodes_cleaned + b.counters.nodes_cleaned; };
  run_until(test.loop, [&] { return cleaned() == 1; });
  run_until(test.loop, [&] {
    return a.heard_of(EnvelopeKind::kLeft) >= kSockets &&
           b.heard_of(EnvelopeKind::kLeft) >= kSockets / 2;
  });
  run_for(test.loop, NodesTest::kTtl);
  std::map<std::string, int> times;
  for (const Heard& each : a.heard) {
    if (each.kind == EnvelopeKind::kLeft) ++times[each.socket];
  }
  assert_int_equal(times.size(), kSockets);
  for (const auto& [socket, count] : times) assert_int_equal(count, 1);
  assert_int_equal(a.heard_of(EnvelopeKind::kLeft), kSockets);
  assert_int_equal(b.heard_of(EnvelopeKind::kLeft), kSockets / 2);
  assert_int_equal(cleaned(), 1);
  assert_int_equal(sockets_left(test, id), 0);
  assert_true(a.registered == 1 && b.registered == 1);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_dead_nodes_sockets_leave_their_rooms),
      cmocka_unit_test(an_index_may_say_too_much),
      cmocka_unit_test(an_earlier_cleaners_work_is_finished),
      cmocka_unit_test(several_nodes_are_cleaned_up_after_in_turn),
      cmocka_unit_test(a_claim_is_renewed_with_each_page),
      cmocka_unit_test(a_cleaner_that_loses_the_claim_stops),
      cmocka_unit_test(a_cleaner_without_the_claim_leaves_the_index_alone),
      cmocka_unit_test(without_redis_a_cleaner_gives_up),
      cmocka_unit_test(a_cleaner_that_is_told_to_stops),
      cmocka_unit_test(nodes_clean_up_after_a_dead_one),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
