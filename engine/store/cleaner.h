// Cleans up after nodes that have departed without taking their sockets along: takes each of these
// out of its room, which tells the members that are left. The cost is that of the node's sockets.
//
// Whoever has claimed the departed node works (see Registry), and does so again from the beginning
// if it has to: each step may be repeated, and none has an effect once the claim has gone to
// another node. What is left to do is in Redis, in the node's index, set aside.
//
// Thread: the loop's.
// Owner: the node.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/store/registry.h"
#include "engine/store/rooms.h"

namespace signalbox::store {

class Cleaner {
 public:
  // Keeps references to all of them.
  Cleaner(Log& log, Counters& counters, Commands& redis, Registry& registry, Rooms& rooms);

  // Cleans up after `node`, whose claim this node has, once it is done with others.
  void clean(const std::string& node);

  // The connection to Redis is lost: leaves everything to whoever claims it next.
  void give_up();

 private:
  void next_node();
  void begin();
  void set_aside();
  void renew(std::function<void()> then);
  void scan(const std::string& cursor);
  void clean_page(const Reply& page, const std::string& cursor);
  void on_page_done(bool lost, const std::string& cursor);
  void finish();

  Log& log_;
  Counters& counters_;
  Commands& redis_;
  Registry& registry_;
  Rooms& rooms_;
  std::deque<std::string> nodes_;  // the first is being cleaned up after
  Departed departed_;              // the first
  uint64_t run_ = 0;               // answers that belong to an earlier one are of no interest
  size_t cleaned_ = 0;             // sockets of the first node
};

}  // namespace signalbox::store
