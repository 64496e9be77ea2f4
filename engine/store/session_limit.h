// How many sessions one address may open, counted in Redis for all nodes. A new session does not
// wait for Redis: it is counted behind it, and the answer says how long further ones are refused
// here. So an address may open some more than its limit, as many as come within a round trip, from
// each node.
//
// Thread: the loop's.
// Owner: the Service.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "engine/core/loop.h"
#include "engine/store/limits.h"

namespace signalbox::store {

class SessionLimit {
 public:
  // Keeps the references; destroy the Commands first.
  SessionLimit(Loop& loop, Commands& redis, const Options& options)
      : loop_(loop), options_(options), limits_(redis, options) {}

  // An address (its limit_key()) wants to open a session: counts it and tells 0, or for how many
  // seconds it may not.
  int64_t admit(const std::string& who);

 private:
  void refuse(const std::string& who, int64_t seconds);

  Loop& loop_;
  const Options& options_;
  Limits limits_;
  std::unordered_map<std::string, uint64_t> refused_until_ms_;  // by address
};

}  // namespace signalbox::store
