// A real Redis Cluster for a test: redis-server processes on free ports of 127.0.0.1, masters with
// even shares of the slots, each with one replica if wanted.
//
// Thread: the main one, as with RedisServer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/options.h"
#include "engine/store/commands.h"
#include "tests/lib/redis_server.h"

namespace signalbox::test {

class ClusterServers {
 public:
  struct Node {
    std::unique_ptr<RedisServer> server;
    int port = 0;
    int bus_port = 0;
    std::string id;
  };

  // Comes back when all nodes agree that the cluster is in order. `arguments` are added to the
  // command line of each.
  explicit ClusterServers(size_t masters = 3, bool replicas = false,
                          const std::vector<std::string>& arguments = {});

  // The masters, then their replicas in the same order.
  std::vector<Node> nodes;

  RedisServer& server(size_t node) { return *nodes[node].server; }
  std::string address(size_t node) const;
  std::string url(size_t node) const;
  // Of an engine in front of this cluster, whose seed is `node`.
  Options options(size_t node = 0) const;

  // Runs a command on that node, whoever has the key.
  store::Reply admin(size_t node, std::vector<std::string> arguments);
  // The same; fails the test when the reply is not "OK".
  void change(size_t node, std::vector<std::string> arguments);
  // The number behind `name` in INFO <section>; 0 when there is none.
  int64_t stat(size_t node, const std::string& section, const std::string& name);
  // Of all nodes together.
  int64_t stats(const std::string& section, const std::string& name);
  void reset_stats();

  // The node that has this slot in the beginning.
  size_t owner(int slot) const;
  // Gives a slot without keys to another master, which all masters are told. Not back again: the
  // nodes do not always agree on that.
  void move_slot(int slot, size_t to);
  // Begins to move a slot, and moves these keys.
  void migrate(int slot, size_t to, const std::vector<std::string>& keys);

 private:
  void wait_until_in_order();

  size_t masters_;
  size_t replicas_ = 0;  // in place
};

}  // namespace signalbox::test
