// A cluster that loses nodes.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/cluster_slots.h"
#include "engine/store/commands.h"
#include "tests/store/client.h"
#include "tests/store/cluster_servers.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::key_slot;
using signalbox::store::Reply;
using signalbox::test::Client;
using signalbox::test::clock_ms;
using signalbox::test::ClusterServers;
using signalbox::test::run_for;
using signalbox::test::run_until;

constexpr uint64_t kPromptMs = 900;  // less than the cluster takes to notice anything

bool unavailable(const Reply& reply) {
  return reply.type == Reply::Type::kUnavailable && !reply.text.empty();
}

// A cluster that serves what it can, and an engine that has spoken to each master.
struct Test {
  explicit Test(bool replicas, Options options = {})
      : cluster(3, replicas, {"--cluster-require-full-coverage", "no"}),
        client(loop, with_seed(std::move(options))) {
    client.wait_until_connected();
    client.redis->set_on_state([this](bool connected) { states.push_back(connected); });
    for (size_t node = 0; node < 3; ++node) client.integer({"INCR", key_at(node)});
  }
  Options with_seed(Options options) {
    options.redis_cluster = true;
    options.redis_url = cluster.url(0);
    return options;
  }

  std::string key_at(size_t node) {
    for (int i = 0;; ++i) {
      std::string key = "key" + std::to_string(i);
      if (cluster.owner(key_slot(key)) == node) return key;
    }
  }

  // Moves a slot from the second to the third master, on which the client asks them for the map.
  void make_it_ask(int slot) {
    for (const size_t node : {2U, 1U}) {
      cluster.change(node,
                     {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", cluster.nodes[2].id});
    }
    std::string key;
    for (int i = 0; key_slot(key) != slot; ++i) key = std::to_string(i);
    const auto asked = [this] {
      const std::string name = "cluster|slots:calls=";
      return cluster.stat(1, "commandstats", name) + cluster.stat(2, "commandstats", name);
    };
    const int64_t before = asked();
    client.integer({"INCR", key});
    run_until(loop, [&] { return asked() > before; });
    run_for(loop, 50);  // until the answer is here
  }

  // Sends commands for that node's keys until one succeeds.
  void wait_until_served(size_t node) {
    bool served = false;
    const uint64_t deadline = clock_ms() + 20000;
    while (!served && clock_ms() < deadline) {
      const Reply reply = client.call({"INCR", key_at(node)});
      served = reply.type == Reply::Type::kInteger;
      if (!served) run_for(loop, 20);
    }
    assert_true(served);
  }

  ClusterServers cluster;
  Loop loop;
  Client client;
  std::vector<bool> states;
};

void a_killed_master_is_replaced(void**) {
  Test test(true);
  test.cluster.server(1).pause();  // so that the commands are without a reply when it dies
  for (int i = 0; i < 20; ++i) test.client.send({"INCR", test.key_at(1)});
  run_for(test.loop, 20);
  const uint64_t begin = clock_ms();
  test.cluster.server(1).kill();
  run_until(test.loop, [&] { return test.client.replies.size() == 20; });
  for (const Reply& reply : test.client.replies) assert_true(unavailable(reply));
  assert_false(test.client.redis->connected());
  assert_true(unavailable(test.client.call({"INCR", test.key_at(1)})));  // it does not wait
  assert_true(unavailable(test.client.call({"PING"})));
  // The others serve.
  test.client.integer({"INCR", test.key_at(0)});
  test.client.integer({"INCR", test.key_at(2)});
  assert_true(clock_ms() - begin < kPromptMs);

  // Without a command of ours.
  test.client.wait_until_connected();
  assert_string_equal(test.client.text({"PING"}).c_str(), "PONG");
  test.client.integer({"INCR", test.key_at(1)});
  run_until(test.loop, [&] { return test.states.size() == 2; });
  assert_false(test.states[0]);
  assert_true(test.states[1]);
  assert_int_equal(test.client.redis->health().reconnects, 1);

  // The old one is let go: when it comes back, nobody of ours connects to it.
  test.cluster.server(1).start();
  run_for(test.loop, 1500);
  const std::string clients = test.cluster.admin(1, {"CLIENT", "LIST", "TYPE", "normal"}).text;
  assert_int_equal(std::count(clients.begin(), clients.end(), '\n'), 1);  // who asked
  test.client.integer({"INCR", test.key_at(1)});
}

void a_killed_master_without_a_replica_is_found_again(void**) {
  Test test(false);
  test.cluster.server(2).kill();
  test.client.send({"INCR", test.key_at(2)});  // in the turn in which nobody has noticed yet
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  assert_true(unavailable(test.client.replies[0]));
  // The cluster finds that nobody serves the slots; the others are served.
  run_for(test.loop, 2500);
  const uint64_t begin = clock_ms();
  for (int i = 0; i < 100; ++i) {
    test.client.integer({"INCR", test.key_at(0)});
    assert_true(unavailable(test.client.call({"INCR", test.key_at(2)})));
  }
  assert_true(clock_ms() - begin < kPromptMs);
  assert_false(test.client.redis->connected());
  // By now we ask but seldom whether something has changed, unless somebody needs to know.
  test.cluster.change(0, {"CONFIG", "RESETSTAT"});
  test.cluster.change(1, {"CONFIG", "RESETSTAT"});
  for (int i = 0; i < 20; ++i) {
    assert_true(unavailable(test.client.call({"INCR", test.key_at(2)})));
    run_for(test.loop, 50);
  }
  const std::string asked = "cluster|slots:calls=";
  assert_in_range(
      test.cluster.stat(0, "commandstats", asked) + test.cluster.stat(1, "commandstats", asked), 5,
      15);
  test.cluster.server(2).start();
  test.client.wait_until_connected();
  test.wait_until_served(2);
}

void a_hanging_master_is_given_up_and_replaced(void**) {
  Options options;
  options.redis_command_timeout = 500;
  Test test(true, options);
  test.cluster.server(0).pause();
  const uint64_t begin = clock_ms();
  for (int i = 0; i < 5; ++i) test.client.send({"INCR", test.key_at(0)});
  run_until(test.loop, [&] { return test.client.replies.size() == 5; });
  assert_in_range(clock_ms() - begin, 490, 1000);
  for (const Reply& reply : test.client.replies) assert_true(unavailable(reply));
  test.client.wait_until_connected();
  test.client.integer({"INCR", test.key_at(0)});
  // It believes itself to be the master when it comes back.
  test.cluster.server(0).resume();
  for (int i = 0; i < 100; ++i) {
    test.client.integer({"INCR", test.key_at(0)});
    run_for(test.loop, 5);
  }
}

void a_command_is_not_executed_twice(void**) {
  Options options;
  options.redis_command_timeout = 300;
  Test test(false, options);
  test.cluster.server(1).pause();
  for (int i = 0; i < 20; ++i) test.client.send({"INCR", test.key_at(1)});
  run_until(test.loop, [&] { return test.client.replies.size() == 20; });
  for (const Reply& reply : test.client.replies) assert_true(unavailable(reply));
  run_for(test.loop, 300);
  test.cluster.server(1).resume();
  test.wait_until_served(1);
  // One in the beginning, one now, and those of which we know nothing.
  assert_in_range(test.client.integer({"INCRBY", test.key_at(1), "0"}), 2, 22);
}

void a_hanging_node_does_not_keep_us_from_asking_another(void**) {
  Options options;
  options.redis_command_timeout = 60000;
  Test test(false, options);
  test.cluster.server(0).pause();
  // Whom we ask first is left to chance.
  for (int slot = 6000; slot < 6010; ++slot) test.make_it_ask(slot);
  test.cluster.server(0).resume();
}

// It is let go only when what it was sent has been answered, by it or by its successor.
void commands_to_a_master_that_was_replaced_are_answered(void**) {
  Options options;
  options.redis_command_timeout = 60000;
  Test test(true, options);
  test.cluster.server(0).pause();
  test.client.send({"INCR", test.key_at(0)});
  const auto knows_the_successor = [&](size_t node) {
    const std::string nodes = test.cluster.admin(node, {"CLUSTER", "NODES"}).text;
    const size_t line = nodes.find(test.cluster.nodes[3].id);
    return nodes.substr(line, nodes.find('\n', line) - line).find("master") != std::string::npos;
  };
  for (const size_t node : {1U, 2U}) {
    while (!knows_the_successor(node)) run_for(test.loop, 20);
  }
  test.make_it_ask(6000);
  test.client.integer({"INCR", test.key_at(0)});  // by the successor
  assert_int_equal(test.client.replies.size(), 0);
  test.cluster.server(0).resume();
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  assert_true(test.client.replies[0].type == Reply::Type::kInteger);
}

void two_of_three_masters_gone_are_found_again(void**) {
  Test test(true);
  test.cluster.server(0).pause();
  test.cluster.server(1).kill();
  test.client.send({"INCR", test.key_at(1)});
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  // There is no majority for a failover until one of them is back.
  run_for(test.loop, 500);
  test.client.integer({"INCR", test.key_at(2)});
  test.cluster.server(0).resume();
  test.client.wait_until_connected();
  test.client.integer({"INCR", test.key_at(1)});
}

void a_planned_failover_loses_nothing(void**) {
  Test test(true);
  int64_t count = test.client.integer({"INCR", test.key_at(1)});
  bool failed = false;
  bool over = false;
  std::function<void(const Reply&)> next = [&](const Reply& reply) {
    if (reply.type != Reply::Type::kInteger || reply.integer != count + 1) {
      failed = true;
      return;
    }
    ++count;
    if (!over) test.client.send({"INCR", test.key_at(1)}, next);
  };
  test.client.send({"INCR", test.key_at(1)}, next);
  test.cluster.change(4, {"CLUSTER", "FAILOVER"});
  run_until(test.loop, [&] {
    return failed || test.cluster.stat(4, "commandstats", "cmdstat_incr:calls=") > count / 2 + 100;
  });
  over = true;
  run_until(test.loop, [&] { return failed || test.client.redis->health().pending == 0; });
  assert_false(failed);
  assert_int_equal(test.client.integer({"INCR", test.key_at(1)}), count + 1);
}

void all_nodes_gone_and_back(void**) {
  Test test(false);
  for (size_t node = 0; node < 3; ++node) test.cluster.server(node).kill();
  for (size_t node = 0; node < 3; ++node) {
    assert_true(unavailable(test.client.call({"INCR", test.key_at(node)})));
  }
  assert_false(test.client.redis->connected());
  run_for(test.loop, 500);
  for (size_t node = 0; node < 3; ++node) test.cluster.server(node).start();
  test.client.wait_until_connected();
  for (size_t node = 0; node < 3; ++node) test.wait_until_served(node);
}

void an_engine_that_starts_before_the_cluster_finds_it(void**) {
  ClusterServers cluster(3);
  for (size_t node = 0; node < 3; ++node) cluster.server(node).kill();
  Loop loop;
  Client client(loop, cluster.options(1));
  assert_true(unavailable(client.call({"GET", "key"})));
  run_for(loop, 4000);  // so that we try but seldom
  for (size_t node = 0; node < 3; ++node) cluster.server(node).start();
  run_until(loop, [&] {
    return std::any_of(client.lines.begin(), client.lines.end(), [](const std::string& line) {
      return line.find("connected to") != std::string::npos;
    });
  });
  const uint64_t begin = clock_ms();
  client.wait_until_connected();
  assert_true(clock_ms() - begin < 250);
  while (client.call({"GET", "key"}).type != Reply::Type::kNil) run_for(loop, 20);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_killed_master_is_replaced),
      cmocka_unit_test(a_killed_master_without_a_replica_is_found_again),
      cmocka_unit_test(a_hanging_master_is_given_up_and_replaced),
      cmocka_unit_test(a_command_is_not_executed_twice),
      cmocka_unit_test(a_hanging_node_does_not_keep_us_from_asking_another),
      cmocka_unit_test(commands_to_a_master_that_was_replaced_are_answered),
      cmocka_unit_test(two_of_three_masters_gone_are_found_again),
      cmocka_unit_test(a_planned_failover_loses_nothing),
      cmocka_unit_test(all_nodes_gone_and_back),
      cmocka_unit_test(an_engine_that_starts_before_the_cluster_finds_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
