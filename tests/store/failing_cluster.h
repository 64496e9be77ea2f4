// A cluster that serves what it can, and an engine that has spoken to each master.
//
// Thread: the test's.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/store/cluster_slots.h"
#include "tests/store/client.h"
#include "tests/store/cluster_servers.h"
#include "tests/store/cmocka.h"

namespace signalbox::test {

constexpr uint64_t kPromptMs = 900;  // less than the cluster takes to notice anything

inline bool unavailable(const store::Reply& reply) {
  return reply.type == store::Reply::Type::kUnavailable && !reply.text.empty();
}

struct FailingCluster {
  explicit FailingCluster(bool replicas, Options options = {})
      : cluster(3, replicas, {"--cluster-require-full-coverage", "no"}),
        client(loop, with_seed(std::move(options))) {
    client.redis->set_on_state([this](bool connected) { states.push_back(connected); });
    run_until(loop, [this] { return !states.empty(); });  // it is told behind becoming so
    assert_true(states.front());
    states.clear();
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
      if (cluster.owner(store::key_slot(key)) == node) return key;
    }
  }

  // Moves a slot from the second to the third master, on which the client asks them for the map.
  void make_it_ask(int slot) {
    for (const size_t node : {2U, 1U}) {
      cluster.change(node,
                     {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", cluster.nodes[2].id});
    }
    std::string key;
    for (int i = 0; store::key_slot(key) != slot; ++i) key = std::to_string(i);
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
      const store::Reply reply = client.call({"INCR", key_at(node)});
      served = reply.type == store::Reply::Type::kInteger;
      if (!served) run_for(loop, 20);
    }
    assert_true(served);
  }

  ClusterServers cluster;
  Loop loop;
  Client client;
  std::vector<bool> states;
};

}  // namespace signalbox::test
