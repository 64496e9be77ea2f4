// Finds out which master of a Redis Cluster has which slots, and keeps it up to date: asks the
// nodes for the map (CLUSTER SLOTS), one after the other until one answers.
//
// Thread: the loop's.
// Owner: RedisCluster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/store/cluster_nodes.h"
#include "engine/store/cluster_slots.h"

namespace signalbox::store {

class ClusterTopology {
 public:
  // `told` is called each time the nodes have been asked, `found` saying whether one answered. It
  // must not destroy this. Keeps the references.
  ClusterTopology(Loop& loop, Log& log, ClusterNodes& nodes, std::function<void(bool found)> told);

  // Asks soon: at once, when it has not just been done. Cheap, so whoever doubts the map calls it.
  void ask();
  // Asks again after a while, longer each time until settle() is called.
  void ask_later();
  // The map is in order: ask() alone makes us ask again.
  void settle();
  // Asks no more.
  void stop();

  bool known() const { return known_; }
  // The newest map; empty until one is known.
  const SlotMap& map() const { return map_; }
  // A node told that the slot has moved there: believed at once, and the whole map asked for.
  void moved(int slot, const ClusterAddress& address);

 private:
  void schedule(uint64_t delay_ms);
  void begin();
  void ask_next();
  void on_answer(uint64_t round, const ClusterAddress& asked, const Reply& reply);
  void finish(bool found);
  void log_failure(const ClusterAddress& asked, const Reply& reply);

  Loop& loop_;
  Log& log_;
  ClusterNodes& nodes_;
  const std::function<void(bool)> told_;
  SlotMap map_;
  bool known_ = false;

  // One round of asking: ends with the first map, or when all have failed.
  uint64_t round_ = 0;
  bool asking_ = false;
  bool again_ = false;  // what made somebody doubt may be newer than the answer we wait for
  std::vector<ClusterAddress> candidates_;  // not yet asked in this round
  size_t unanswered_ = 0;
  Timer impatience_;

  Timer next_;  // the next round
  uint64_t next_due_ms_ = 0;
  uint64_t earliest_ms_ = 0;
  unsigned failures_ = 0;  // rounds since the map was in order
  bool warned_ = false;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace signalbox::store
