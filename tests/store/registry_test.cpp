// Which nodes there are: ids, leases, and who cleans up after whom.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/store/registry_scripts.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/nodes_fixture.h"

namespace {

using signalbox::store::Fence;
using signalbox::store::JoinReply;
using signalbox::store::LeaveReply;
using signalbox::store::node_key;
using signalbox::store::node_left_key;
using signalbox::store::node_sockets_key;
using signalbox::store::nodes_key;
using signalbox::store::register_script;
using signalbox::test::NodesTest;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;
using signalbox::test::TestNode;

constexpr uint64_t kTtl = NodesTest::kTtl;
constexpr int64_t kLong = 1'000'000;

std::unique_ptr<RedisServer> server;

// What Redis has of a node.
std::string field(NodesTest& test, const std::string& node, const std::string& name) {
  return test.client.call({"HGET", node_key(node), name}).text;
}

size_t claims(const NodesTest& test, const std::string& node) {
  size_t count = 0;
  for (const auto& each : test.nodes) {
    count += static_cast<size_t>(std::count(each->departed.begin(), each->departed.end(), node));
  }
  return count;
}

// Until `node` may judge others, because it has been there for as long as a lease.
void settle(NodesTest& test) {
  run_for(test.loop, kTtl * 3 / 2);
}

void a_node_holds_a_lease(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  // It may be renewed between the question for the time and that for the lease.
  const auto expect_lease = [&](uint64_t least, uint64_t most) {
    const std::vector<signalbox::store::Reply> time = test.client.call({"TIME"}).elements;
    const uint64_t now = std::stoull(time[0].text) * 1000 + std::stoull(time[1].text) / 1000;
    assert_in_range(std::stoull(test.lease(node.id())) - now, least, most);
  };
  expect_lease(kTtl / 2, kTtl + kTtl / 4);
  for (int i = 0; i < 5; ++i) {
    run_for(test.loop, kTtl / 2);
    expect_lease(kTtl / 4, kTtl + kTtl / 4);
  }
  assert_true(field(test, node.id(), "token") == node.registry.fence().value);
  assert_true(node.registry.fence().key == node_key(node.id()));
  for (const std::string& key : {nodes_key(), node_key(node.id())}) {
    assert_in_range(test.client.integer({"TTL", key}), 89'990, 90'000);
  }
  assert_int_equal(node.registered, 1);
  assert_int_equal(test.keys(), 2);
}

void a_taken_id_is_not_used(void**) {
  NodesTest test(*server);
  TestNode& node = test.prepare();
  const std::string wanted = node.id();
  // It is another one's even if that has let its lease run out: it may have sockets.
  test.pretend(wanted, -kLong);
  node.open();
  node.wait_until_registered();
  assert_int_equal(node.names.size(), 1);
  assert_true(node.id() == node.names[0] && node.id() != wanted);
  assert_int_equal(node.id().size(), 4);
  assert_true(field(test, wanted, "token") == "somebody:1");
  assert_true(field(test, node.id(), "token") == node.registry.fence().value);
  // By its new name it is heard.
  TestNode& other = test.add();
  other.bus.send(node.id(), other.relay("1"));
  run_until(test.loop, [&] { return node.heard.size() == 1; });
  assert_true(test.lease(wanted) != "");
}

// As many as share a name at the same moment: exactly one keeps it.
void of_many_one_keeps_a_name(void**) {
  NodesTest test(*server);
  std::set<std::string> secrets;
  int registered = 0;
  constexpr int kMany = 200;
  int answers = 0;
  for (int i = 0; i < kMany; ++i) {
    test.client.redis->script(register_script(), {nodes_key(), node_key("same")},
                              {"same", "secret" + std::to_string(i), "1", "10000", "90000", "c"},
                              [&](const signalbox::store::Reply& reply) {
                                ++answers;
                                if (reply.text == "registered") ++registered;
                              });
  }
  run_until(test.loop, [&] { return answers == kMany; });
  assert_int_equal(registered, 1);
}

void nodes_that_begin_at_once_have_ids_of_their_own(void**) {
  NodesTest test(*server);
  test.options.node_ttl = 10'000;
  // Half of the ids that will be asked for are taken, by nodes or by one another.
  constexpr size_t kMany = 60;
  for (size_t i = 0; i < kMany; ++i) {
    const TestNode& node = test.prepare();
    if (i % 2 == 0) test.pretend(node.id(), kLong);
  }
  for (const auto& node : test.nodes) node->open();
  run_until(test.loop, [&] {
    return std::all_of(test.nodes.begin(), test.nodes.end(),
                       [](const auto& node) { return node->registry.registered(); });
  });
  std::set<std::string> ids;
  for (size_t i = 0; i < kMany; ++i) {
    const TestNode& node = *test.nodes[i];
    ids.insert(node.id());
    assert_int_equal(node.names.size(), i % 2 == 0 ? 1 : 0);
    assert_true(field(test, node.id(), "token") == node.registry.fence().value);
  }
  assert_int_equal(ids.size(), kMany);
  assert_int_equal(test.client.integer({"ZCARD", nodes_key()}), kMany + kMany / 2);
}

// Whoever is connected to a node that has only just begun may join at once.
void what_is_asked_before_the_first_connection_waits_for_the_registration(void**) {
  NodesTest test(*server);
  test.client.call({"HSET", "room:r", "created_at", "1"});
  TestNode& node = test.prepare();
  node.open();
  assert_false(node.redis.connected());
  std::vector<std::string> order;
  node.rooms.join({"r", node.socket("a"), ""}, [&](const JoinReply& reply) {
    assert_true(reply.result == JoinReply::Result::kJoined);
    order.emplace_back("joined");
  });
  run_until(test.loop, [&] { return node.redis.connected(); });
  // Behind the join, although nothing has been asked of Redis yet but the registration.
  node.rooms.leave("r", node.socket("a"), "", [&](const LeaveReply& reply) {
    assert_true(reply.result == LeaveReply::Result::kLeft);
    order.emplace_back("left");
  });
  run_until(test.loop, [&] { return order.size() == 2; });
  assert_true(order[0] == "joined");
}

// Without a Redis, nobody waits for it.
void what_is_asked_while_the_first_connection_fails_is_answered_then(void**) {
  NodesTest test(*server);
  test.options.redis_url = "redis://127.0.0.1:1";
  TestNode& node = test.prepare();
  node.open();
  const Stopwatch watch;
  for (int i = 0; i < 2; ++i) {
    assert_true(node.join("r", node.socket("a")).result == JoinReply::Result::kUnavailable);
  }
  assert_took(watch, 0, static_cast<uint64_t>(node.options.redis_command_timeout));
}

void who_registers_again_keeps_its_id_and_ends_the_past(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  const std::string id = node.id();
  const Fence before = node.registry.fence();
  test.client.call({"CLIENT", "KILL", "TYPE", "normal"});
  run_until(test.loop, [&] { return node.registered == 2; });
  const Fence after = node.registry.fence();
  assert_true(node.id() == id && node.names.empty());
  assert_true(after.value != before.value);
  run_until(test.loop, [&] { return test.client.redis->connected(); });
  assert_true(field(test, id, "token") == after.value);
  // What was on its way since before has no effect.
  const std::string secret = before.value.substr(0, before.value.find(':'));
  bool old = false;
  test.client.redis->script(
      register_script(), {nodes_key(), node_key(id)},
      {id, secret, before.value.substr(before.value.find(':') + 1), "10000", "90000", "c"},
      [&](const signalbox::store::Reply& reply) { old = reply.text == "old"; });
  run_until(test.loop, [&] { return old; });
  assert_true(field(test, id, "token") == after.value);
}

// So does Redis 7 set up its users unless it is told otherwise. Joins would be half done.
void who_may_not_publish_is_not_registered(void**) {
  NodesTest test(*server);
  test.client.text({"ACL", "SETUSER", "default", "resetchannels"});
  test.client.send({"CLIENT", "KILL", "TYPE", "normal"});
  TestNode& node = test.prepare();
  node.open();
  run_for(test.loop, 600);
  assert_true(node.redis.connected());
  assert_int_equal(node.registered, 0);
  assert_false(test.exists(node_key(node.id())));
  // As soon as it is put right.
  test.client.text({"ACL", "SETUSER", "default", "&signalbox:*"});
  node.wait_until_registered();
  test.client.text({"ACL", "SETUSER", "default", "allchannels"});
}

// 10 comes after 9, as a number.
void generations_are_counted_beyond_nine(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  for (size_t i = 2; i <= 12; ++i) {
    node.registry.on_connection(true);
    run_until(test.loop, [&] { return node.registered == i; });
  }
  assert_true(node.registry.fence().value.ends_with(":12"));
  assert_true(field(test, node.id(), "token") == node.registry.fence().value);
}

void a_node_that_was_forgotten_registers_again(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  const std::string id = node.id();
  test.client.call({"FLUSHALL"});
  run_until(test.loop, [&] { return node.registered == 2; });
  assert_true(node.id() == id && !test.lease(id).empty());
}

void a_dead_node_is_claimed_by_one(void**) {
  NodesTest test(*server);
  for (int i = 0; i < 3; ++i) test.add();
  TestNode& dead = test.add();
  const std::string id = dead.id();
  settle(test);
  assert_int_equal(claims(test, id), 0);
  const Stopwatch watch;
  dead.die();
  run_until(test.loop, [&] { return claims(test, id) > 0; });
  assert_took(watch, kTtl / 2, 2 * kTtl + 300);
  run_until(test.loop, [&] { return test.lease(id).empty(); });
  run_for(test.loop, 2 * kTtl);
  assert_int_equal(claims(test, id), 1);
  assert_false(test.exists(node_key(id)));
  for (size_t i = 0; i < 3; ++i) assert_int_equal(test.nodes[i]->registered, 1);
}

void many_dead_nodes_are_shared(void**) {
  NodesTest test(*server);
  TestNode& a = test.add();
  TestNode& b = test.add();
  settle(test);
  for (int i = 0; i < 6; ++i) test.pretend("dea" + std::to_string(i), -kLong);
  run_until(test.loop, [&] { return a.departed.size() + b.departed.size() == 6; });
  for (const TestNode* node : {&a, &b}) assert_in_range(node->most_at_once, 0, 4);
  run_until(test.loop, [&] { return test.client.integer({"ZCARD", nodes_key()}) == 2; });
}

void a_cleaner_that_dies_is_replaced(void**) {
  NodesTest test(*server);
  for (int i = 0; i < 3; ++i) {
    TestNode& node = test.add();
    node.cleans = false;
    node.on_duty = [&] { node.die(); };
  }
  settle(test);
  test.pretend("dead", -kLong);
  Stopwatch last;
  for (size_t i = 1; i <= 3; ++i) {
    run_until(test.loop, [&] { return claims(test, "dead") >= i; });
    // Not before the claim has run out; a busy machine may have told late of it.
    if (i > 1) assert_true(last.elapsed_ms() + last.busy_ms() >= kTtl - 20);
    last = {};
    bool seen = false;
    for (const auto& node : test.nodes) seen = seen || field(test, "dead", "cleaner") == node->id();
    assert_true(seen);
    assert_true(field(test, "dead", "token").empty());
  }
}

void a_node_that_is_being_cleaned_up_after_waits(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  const std::string id = node.id();
  test.client.call({"HSET", node_key(id), "cleaner", "busy"});
  test.set_lease(id, kLong);
  test.client.call({"HDEL", node_key(id), "token"});
  run_until(test.loop, [&] { return !node.registry.registered(); });
  run_for(test.loop, 600);
  assert_false(node.registry.registered());
  assert_true(field(test, id, "cleaner") == "busy");
  // The cleaner is done.
  test.client.call({"DEL", node_key(id)});
  test.client.call({"ZREM", nodes_key(), id});
  node.wait_until_registered();
  assert_true(node.id() == id);
  assert_int_equal(node.registered, 2);
  assert_true(node.departed.empty());
}

// Nobody else is there to do it.
void a_node_alone_cleans_up_after_itself(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  const std::string id = node.id();
  test.client.call({"HSET", "room:r", "created_at", "1"});
  node.join("r", node.socket("1"));
  test.client.call({"HSET", node_key(id), "cleaner", "dead"});
  test.set_lease(id, 300);
  test.client.call({"HDEL", node_key(id), "token"});
  run_until(test.loop, [&] { return node.registered == 2; });
  assert_true(node.departed == std::vector<std::string>{id});
  assert_true(node.id() == id && node.names.empty());
  assert_true(field(test, id, "cleaner").empty());
  assert_int_equal(node.counters.nodes_cleaned, 1);
  assert_false(test.exists(node_sockets_key(id)) || test.exists(node_left_key(id)));
}

// All leases are old then, and nobody is to blame.
void a_redis_that_hung_gives_everyone_time(void**) {
  RedisServer slow;
  NodesTest test(slow);
  test.options.redis_command_timeout = 150;
  for (int i = 0; i < 4; ++i) test.add();
  settle(test);
  slow.pause();
  run_for(test.loop, 2 * kTtl);
  slow.resume();
  run_until(test.loop, [&] {
    return test.client.redis->connected() &&
           std::all_of(test.nodes.begin(), test.nodes.end(),
                       [](const auto& node) { return node->registry.registered(); });
  });
  run_for(test.loop, kTtl);
  for (const auto& node : test.nodes) {
    assert_int_equal(claims(test, node->id()), 0);
    assert_true(field(test, node->id(), "cleaner").empty());
    assert_true(field(test, node->id(), "token") == node->registry.fence().value);
  }
}

// Who was away itself cannot tell who else was.
void who_comes_back_does_not_judge_at_once(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  settle(test);
  test.pretend("one", -kLong);
  run_until(test.loop, [&] { return node.counters.nodes_cleaned == 1 && test.keys() == 2; });
  test.client.call({"CLIENT", "KILL", "TYPE", "normal"});
  run_until(test.loop, [&] { return node.registered == 2 && test.client.redis->connected(); });
  const Stopwatch watch;
  test.pretend("two", -kLong);
  run_until(test.loop, [&] { return claims(test, "two") > 0; });
  assert_took(watch, kTtl * 3 / 4, 2 * kTtl + 300);
}

// Its own lease has not run out, but has come near to it: what held it up may have held up others.
void who_was_slow_does_not_judge_at_once(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  settle(test);
  run_for(test.loop, 10);
  const Stopwatch watch;
  test.set_lease(node.id(), 10);  // as if it had renewed it long ago
  test.pretend("dead", -kLong);
  run_until(test.loop, [&] { return claims(test, "dead") > 0; });
  assert_took(watch, kTtl * 3 / 4, 2 * kTtl + 300);
  assert_int_equal(node.registered, 1);
}

void who_unregisters_leaves_no_key(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  test.add();
  node.registry.unregister();
  run_until(test.loop, [&] { return test.keys() == 2; });
  run_for(test.loop, kTtl);
  assert_int_equal(test.keys(), 2);
  assert_false(node.registry.registered());
  assert_int_equal(node.registered, 1);
}

// A leave that Redis did not answer: somebody has to do it.
void who_ends_with_sockets_leaves_them_to_the_others(void**) {
  NodesTest test(*server);
  TestNode& node = test.add();
  TestNode& other = test.add();
  test.client.call({"HSET", "room:r", "created_at", "1"});
  node.join("r", node.socket("1"));
  settle(test);
  node.registry.unregister();
  run_until(test.loop, [&] { return other.counters.nodes_cleaned == 1; });
  assert_false(test.exists("room:r:sockets"));
  assert_false(test.exists(node_sockets_key(node.id())));
  assert_false(test.exists(node_key(node.id())));
}

void waiting_for_the_registration_ends_in_time(void**) {
  NodesTest test(*server);
  test.options.redis_command_timeout = 200;
  test.options.redis_max_pending = 3;
  TestNode& node = test.prepare();
  int called = 0;
  node.open();
  node.registry.when_registered([&] { ++called; });
  assert_int_equal(called, 0);
  run_until(test.loop, [&] { return node.redis.connected(); });
  node.registry.when_registered([&] { ++called; });
  node.wait_until_registered();
  assert_int_equal(called, 2);
  node.registry.when_registered([&] { ++called; });
  assert_int_equal(called, 3);

  test.client.call({"HSET", node_key(node.id()), "cleaner", "busy"});
  test.set_lease(node.id(), kLong);
  test.client.call({"HDEL", node_key(node.id()), "token"});
  run_until(test.loop, [&] { return !node.registry.registered(); });
  const Stopwatch watch;
  for (int i = 0; i < 3; ++i) node.registry.when_registered([&] { ++called; });
  assert_int_equal(called, 3);
  node.registry.when_registered([&] { ++called; });  // no room to wait
  assert_int_equal(called, 4);
  run_until(test.loop, [&] { return called == 7; });
  assert_took(watch, 190, 600);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_node_holds_a_lease),
      cmocka_unit_test(a_taken_id_is_not_used),
      cmocka_unit_test(of_many_one_keeps_a_name),
      cmocka_unit_test(nodes_that_begin_at_once_have_ids_of_their_own),
      cmocka_unit_test(what_is_asked_before_the_first_connection_waits_for_the_registration),
      cmocka_unit_test(what_is_asked_while_the_first_connection_fails_is_answered_then),
      cmocka_unit_test(who_registers_again_keeps_its_id_and_ends_the_past),
      cmocka_unit_test(who_may_not_publish_is_not_registered),
      cmocka_unit_test(generations_are_counted_beyond_nine),
      cmocka_unit_test(a_node_that_was_forgotten_registers_again),
      cmocka_unit_test(a_dead_node_is_claimed_by_one),
      cmocka_unit_test(many_dead_nodes_are_shared),
      cmocka_unit_test(a_cleaner_that_dies_is_replaced),
      cmocka_unit_test(a_node_that_is_being_cleaned_up_after_waits),
      cmocka_unit_test(a_node_alone_cleans_up_after_itself),
      cmocka_unit_test(a_redis_that_hung_gives_everyone_time),
      cmocka_unit_test(who_comes_back_does_not_judge_at_once),
      cmocka_unit_test(who_was_slow_does_not_judge_at_once),
      cmocka_unit_test(who_unregisters_leaves_no_key),
      cmocka_unit_test(who_ends_with_sockets_leaves_them_to_the_others),
      cmocka_unit_test(waiting_for_the_registration_ends_in_time),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
