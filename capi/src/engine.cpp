#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "capi/src/config.h"
#include "capi/src/guard.h"
#include "signalbox.h"

using signalbox::ErrorCode;
using signalbox::LogLevel;
using signalbox::Observers;
using signalbox::Status;
using signalbox::capi::guard;

namespace {

// The struct as version 0.1 had it; later versions only append.
constexpr size_t kCallbacksSize0 =
    offsetof(sbx_callbacks, refused) + sizeof(sbx_callbacks::refused);

// The engine whose callback this thread is in.
thread_local const sbx_engine* calling_back = nullptr;

}  // namespace

struct sbx_engine {
  sbx_engine(const sbx_config& config, const sbx_callbacks& host_callbacks)
      : callbacks(host_callbacks), engine(config.options, config.log_level, observers()) {}

  // Wraps a host's function so that its thread is known to be inside a callback of this engine.
  template <typename... Arguments>
  auto observer(void (*function)(void*, Arguments...)) {
    return [this, function](Arguments... arguments) {
      const sbx_engine* outer = std::exchange(calling_back, this);
      function(callbacks.user, arguments...);
      calling_back = outer;
    };
  }

  Observers observers() {
    Observers to;
    if (callbacks.log != nullptr) {
      to.log = [call = observer(callbacks.log)](LogLevel level, const std::string& line) {
        call(static_cast<sbx_log_level>(level), line.c_str());
      };
    }
    if (callbacks.started != nullptr) to.started = observer(callbacks.started);
    if (callbacks.stopped != nullptr) to.stopped = observer(callbacks.stopped);
    if (callbacks.room_created != nullptr) {
      to.room_created = [call = observer(callbacks.room_created)](const std::string& room) {
        call(room.c_str());
      };
    }
    if (callbacks.joined != nullptr) {
      to.joined = [call = observer(callbacks.joined)](const std::string& room,
                                                      const std::string& socket) {
        call(room.c_str(), socket.c_str());
      };
    }
    if (callbacks.left != nullptr) {
      to.left = [call = observer(callbacks.left)](const std::string& room,
                                                  const std::string& socket) {
        call(room.c_str(), socket.c_str());
      };
    }
    if (callbacks.refused != nullptr) {
      to.refused = [call = observer(callbacks.refused)](const std::string& room,
                                                        const std::string& socket,
                                                        const std::string& reason) {
        call(room.c_str(), socket.c_str(), reason.c_str());
      };
    }
    return to;
  }

  sbx_callbacks callbacks;
  signalbox::Engine engine;
  std::atomic<bool> used{false};     // started or run, successfully or not
  std::atomic<bool> running{false};  // a thread is in sbx_engine_run
};

sbx_error sbx_engine_create(const sbx_config* config, const sbx_callbacks* callbacks,
                            sbx_engine** engine, char* err, size_t errlen) {
  return guard(err, errlen, [&]() -> Status {
    if (config == nullptr) return {ErrorCode::kInvalid, "config is NULL"};
    if (engine == nullptr) return {ErrorCode::kInvalid, "engine is NULL"};
    sbx_callbacks copy{};
    if (callbacks != nullptr) {
      if (callbacks->size < kCallbacksSize0) {
        return {ErrorCode::kInvalid, "callbacks->size is not the size of an sbx_callbacks"};
      }
      std::memcpy(&copy, callbacks, std::min(callbacks->size, sizeof copy));
    }
    *engine = std::make_unique<sbx_engine>(*config, copy).release();
    return {};
  });
}

namespace {

// Calls `serve` on an engine that has not served yet.
template <typename Serve>
Status serve_once(sbx_engine* engine, Serve serve) {
  if (engine == nullptr) return {ErrorCode::kInvalid, "engine is NULL"};
  if (engine->used.exchange(true)) return {ErrorCode::kState, "the engine was started before"};
  return serve(engine->engine);
}

}  // namespace

sbx_error sbx_engine_start(sbx_engine* engine, char* err, size_t errlen) {
  return guard(err, errlen, [&] {
    return serve_once(engine, [](signalbox::Engine& serving) { return serving.start(); });
  });
}

sbx_error sbx_engine_run(sbx_engine* engine, char* err, size_t errlen) {
  return guard(err, errlen, [&] {
    return serve_once(engine, [&](signalbox::Engine& serving) {
      struct Running {
        explicit Running(std::atomic<bool>& set) : flag(set) { flag = true; }
        ~Running() { flag = false; }
        std::atomic<bool>& flag;
      } running(engine->running);
      return serving.run();
    });
  });
}

sbx_error sbx_engine_stop(sbx_engine* engine) {
  if (engine == nullptr) return SBX_E_INVALID;
  return guard(nullptr, 0, [&]() -> Status {
    engine->engine.stop();
    return {};
  });
}

sbx_error sbx_engine_join(sbx_engine* engine) {
  return guard(nullptr, 0, [&]() -> Status {
    if (engine == nullptr) return {ErrorCode::kInvalid, ""};
    if (calling_back == engine) return {ErrorCode::kState, ""};
    engine->engine.join();
    return {};
  });
}

uint16_t sbx_engine_port(const sbx_engine* engine) {
  return engine == nullptr ? uint16_t{0} : engine->engine.port();
}

sbx_error sbx_engine_destroy(sbx_engine* engine) {
  return guard(nullptr, 0, [&]() -> Status {
    if (engine == nullptr) return {};
    if (calling_back == engine || engine->running) return {ErrorCode::kState, ""};
    delete engine;
    return {};
  });
}
