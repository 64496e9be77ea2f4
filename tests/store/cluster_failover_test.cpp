// A cluster in which a replica takes over.
#include <algorithm>
#include <functional>
#include <string>

#include "tests/lib/stopwatch.h"
#include "tests/store/failing_cluster.h"

namespace {

using signalbox::Options;
using signalbox::store::Reply;
using signalbox::test::FailingCluster;
using signalbox::test::kPromptMs;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;
using signalbox::test::unavailable;

void a_killed_master_is_replaced(void**) {
  FailingCluster test(true);
  test.cluster.server(1).pause();  // so that the commands are without a reply when it dies
  for (int i = 0; i < 20; ++i) test.client.send({"INCR", test.key_at(1)});
  run_for(test.loop, 20);
  const Stopwatch watch;
  test.cluster.server(1).kill();
  run_until(test.loop, [&] { return test.client.replies.size() == 20; });
  for (const Reply& reply : test.client.replies) assert_true(unavailable(reply));
  assert_false(test.client.redis->connected());
  assert_true(unavailable(test.client.call({"INCR", test.key_at(1)})));  // it does not wait
  assert_true(unavailable(test.client.call({"PING"})));
  // The others serve.
  test.client.integer({"INCR", test.key_at(0)});
  test.client.integer({"INCR", test.key_at(2)});
  assert_took(watch, 0, kPromptMs);

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

void a_hanging_master_is_given_up_and_replaced(void**) {
  Options options;
  options.redis_command_timeout = 500;
  FailingCluster test(true, options);
  test.cluster.server(0).pause();
  const Stopwatch watch;
  for (int i = 0; i < 5; ++i) test.client.send({"INCR", test.key_at(0)});
  run_until(test.loop, [&] { return test.client.replies.size() == 5; });
  assert_took(watch, 490, 1000);
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

// It is let go only when what it was sent has been answered, by it or by its successor.
void commands_to_a_master_that_was_replaced_are_answered(void**) {
  Options options;
  options.redis_command_timeout = 60000;
  FailingCluster test(true, options);
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
  FailingCluster test(true);
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
  FailingCluster test(true);
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

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_killed_master_is_replaced),
      cmocka_unit_test(a_hanging_master_is_given_up_and_replaced),
      cmocka_unit_test(commands_to_a_master_that_was_replaced_are_answered),
      cmocka_unit_test(two_of_three_masters_gone_are_found_again),
      cmocka_unit_test(a_planned_failover_loses_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
