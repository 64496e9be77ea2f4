// What an sbx_engine holds.
//
// Thread: see signalbox.h.
// Owner: the caller of sbx_engine_create.
#pragma once

#include <atomic>
#include <thread>

#include "engine/engine.h"
#include "signalbox.h"

struct sbx_engine {
  sbx_engine(const sbx_config& config, const sbx_callbacks& host_callbacks);

  // Calls a function of the host, so that its thread is known to be inside a callback of this
  // engine.
  template <typename... Parameters, typename... Arguments>
  void call(void (*function)(void*, Parameters...), void* user, Arguments... arguments) const {
    const std::thread::id outer = calling_.exchange(std::this_thread::get_id());
    function(user, arguments...);
    calling_.store(outer);
  }
  // Also when that callback runs another engine.
  bool calls_this_thread() const { return calling_.load() == std::this_thread::get_id(); }

  const sbx_callbacks callbacks;

 private:
  mutable std::atomic<std::thread::id> calling_;  // the thread that is in one of our callbacks

 public:
  signalbox::Engine engine;  // the last: it calls back until it is gone
};
