// Takes leave of the sessions of a server that stops. Their clients come back elsewhere by
// themselves, so they are sent away one after another: in one instant they would all fall upon the
// nodes that stay, and upon Redis.
//
// Thread: the loop's.
// Owner: the node; the server must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/core/loop.h"

namespace signalbox::engineio {

class Server;

class Drain {
 public:
  Drain(Loop& loop, Server& server);

  // Has the server open no more sessions and ends those that it has, in random order, evenly spread
  // over at most `spread_ms`. One that would leave something half done (Session::at_rest()) ends
  // when that is done, or `patience_ms` after the others. `done` is called once, maybe inside this
  // call, when none is open.
  void start(uint64_t spread_ms, uint64_t patience_ms, std::function<void()> done);

  // Ends all that are left now.
  void hurry();

  // When the last turn came: those that were at rest have ended.
  uint64_t spread_end_ms() const { return spread_end_ms_; }

 private:
  void go_on();
  void take_turns();
  // Whether all have ended.
  bool end_late_ones();
  void finish();

  Loop& loop_;
  Server& server_;
  Timer timer_;
  std::vector<std::string> turns_;  // ids of sessions, in the order in which they end
  size_t taken_ = 0;                // of turns_
  uint64_t begun_ms_ = 0;
  uint64_t spread_ms_ = 0;
  uint64_t spread_end_ms_ = 0;
  uint64_t patience_ms_ = 0;
  std::function<void()> done_;  // set: it is under way
};

}  // namespace signalbox::engineio
