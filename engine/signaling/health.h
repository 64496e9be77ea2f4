// The health reports: a short one that says that we serve, and a detailed one that asks Redis.
//
// Thread: the loop's.
// Owner: the HttpApi.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/net/http.h"
#include "engine/store/commands.h"

namespace signalbox::signaling {

class Health {
 public:
  // `connections`: how many clients are connected. Keeps all references.
  Health(Loop& loop, const Options& options, store::Commands& redis,
         std::function<size_t()> connections);

  // From now on the reports say that the node is about to go, with 503.
  void drain() { draining_ = true; }

  net::Response brief() const;

  // Asks Redis and calls back once, within redis.command_timeout.
  void detailed(std::function<void(net::Response)> done) const;

 private:
  uint64_t uptime_s() const;

  Loop& loop_;
  const Options& options_;
  store::Commands& redis_;
  std::function<size_t()> connections_;
  uint64_t started_ms_;
  bool draining_ = false;
};

}  // namespace signalbox::signaling
