// The connections to the nodes of a Redis Cluster, by address: made when first needed, each with
// its pipeline, deadlines and reconnection, and dropped when nobody wants the node any more.
//
// Thread: the loop's.
// Owner: RedisCluster. Destroying it answers what is pending with kUnavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/store/cluster_slots.h"
#include "engine/store/redis.h"

namespace signalbox::store {

class ClusterNodes {
 public:
  // options.redis_url is the seed; its scheme and login apply to every node. `changed` is called
  // inside our callbacks when a node is connected, is lost, refuses, or may be idle: `back` when it
  // is connected and was not when we last tried. It must not destroy this.
  ClusterNodes(Loop& loop, Log& log, const Options& options, Counters& counters,
               std::function<void(bool back)> changed);
  ~ClusterNodes();

  const ClusterAddress& seed() const { return seed_; }

  // To the node at `address`, which is connected to when it is new. `done` as with Redis.
  void command(const ClusterAddress& address, std::vector<std::string> arguments,
               Commands::Done done);
  void script(const ClusterAddress& address, const Script& script, std::vector<std::string> keys,
              std::vector<std::string> arguments, Commands::Done done);

  bool connected(const ClusterAddress& address) const;
  // Whether it was lost, or could not be reached, and has not been connected since.
  bool refused(const ClusterAddress& address) const;

  // Lets all nodes but these go once their commands are answered.
  void keep_only(const std::set<ClusterAddress>& wanted);
  // Drops those that were let go and have no command left. Not inside our callbacks.
  void drop_idle();
  // Drops all.
  void clear();

 private:
  struct Node;
  Node& at(const ClusterAddress& address);
  std::string url_of(const ClusterAddress& address) const;
  Commands::Done noting(Node& node, Commands::Done done);

  Loop& loop_;
  Log& log_;
  const Options& options_;
  Counters& counters_;
  const std::function<void(bool)> changed_;
  ClusterAddress seed_;
  std::map<ClusterAddress, std::unique_ptr<Node>> nodes_;
};

}  // namespace signalbox::store
