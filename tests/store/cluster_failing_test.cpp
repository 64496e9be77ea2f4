// A cluster that loses nodes, for which there is no replica.
#include <algorithm>
#include <string>

#include "tests/lib/stopwatch.h"
#include "tests/store/failing_cluster.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::Reply;
using signalbox::test::Client;
using signalbox::test::ClusterServers;
using signalbox::test::FailingCluster;
using signalbox::test::kPromptMs;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;
using signalbox::test::unavailable;

void a_killed_master_without_a_replica_is_found_again(void**) {
  FailingCluster test(false);
  test.cluster.server(2).kill();
  test.client.send({"INCR", test.key_at(2)});  // in the turn in which nobody has noticed yet
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  assert_true(unavailable(test.client.replies[0]));
  // The cluster finds that nobody serves the slots; the others are served.
  run_for(test.loop, 2500);
  const Stopwatch watch;
  for (int i = 0; i < 100; ++i) {
    test.client.integer({"INCR", test.key_at(0)});
    assert_true(unavailable(test.client.call({"INCR", test.key_at(2)})));
  }
  assert_took(watch, 0, kPromptMs);
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

void a_command_is_not_executed_twice(void**) {
  Options options;
  options.redis_command_timeout = 300;
  FailingCluster test(false, options);
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
  FailingCluster test(false, options);
  test.cluster.server(0).pause();
  // Whom we ask first is left to chance.
  for (int slot = 6000; slot < 6010; ++slot) test.make_it_ask(slot);
  test.cluster.server(0).resume();
}

void all_nodes_gone_and_back(void**) {
  FailingCluster test(false);
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
  const Stopwatch watch;
  client.wait_until_connected();
  assert_took(watch, 0, 250);
  while (client.call({"GET", "key"}).type != Reply::Type::kNil) run_for(loop, 20);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_killed_master_without_a_replica_is_found_again),
      cmocka_unit_test(a_command_is_not_executed_twice),
      cmocka_unit_test(a_hanging_node_does_not_keep_us_from_asking_another),
      cmocka_unit_test(all_nodes_gone_and_back),
      cmocka_unit_test(an_engine_that_starts_before_the_cluster_finds_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
