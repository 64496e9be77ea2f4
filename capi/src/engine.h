// What an sbx_engine holds.
//
// Thread: see signalbox.h.
// Owner: the caller of sbx_engine_create.
#pragma once

#include <atomic>
#include <utility>

#include "engine/engine.h"
#include "signalbox.h"

namespace signalbox::capi {

// The engine whose callback this thread is in.
inline thread_local const sbx_engine* calling_back = nullptr;

}  // namespace signalbox::capi

struct sbx_engine {
  sbx_engine(const sbx_config& config, const sbx_callbacks& host_callbacks);

  // Calls a function of the host, so that its thread is known to be inside a callback of this
  // engine.
  template <typename... Parameters, typename... Arguments>
  void call(void (*function)(void*, Parameters...), void* user, Arguments... arguments) const {
    using signalbox::capi::calling_back;
    const sbx_engine* outer = std::exchange(calling_back, this);
    function(user, arguments...);
    calling_back = outer;
  }
  bool calls_this_thread() const { return signalbox::capi::calling_back == this; }

  const sbx_callbacks callbacks;
  signalbox::Engine engine;
  std::atomic<int> running{0};        // threads that are in sbx_engine_run
  std::atomic<bool> attached{false};  // to the host's loop
};
