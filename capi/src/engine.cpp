// The life of an engine.
#include "capi/src/engine.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include "capi/src/config.h"
#include "capi/src/guard.h"
#include "capi/src/views.h"

using signalbox::ErrorCode;
using signalbox::LogLevel;
using signalbox::Observers;
using signalbox::Status;
using signalbox::capi::guard;
using signalbox::capi::null;
namespace host = signalbox::host;

namespace {

// The struct as version 1.0 has it; later versions only append.
constexpr size_t kCallbacksSize1 =
    offsetof(sbx_callbacks, abandoned) + sizeof(sbx_callbacks::abandoned);

Observers observers_of(const sbx_engine& engine) {
  const sbx_callbacks& callbacks = engine.callbacks;
  void* const user = callbacks.user;
  Observers to;
  if (callbacks.log != nullptr) {
    to.log = [&, user](LogLevel level, const std::string& line) {
      engine.call(callbacks.log, user, static_cast<sbx_log_level>(level), line.c_str());
    };
  }
  if (callbacks.started != nullptr) {
    to.started = [&, user](uint16_t port) { engine.call(callbacks.started, user, port); };
  }
  if (callbacks.stopped != nullptr) {
    to.stopped = [&, user] { engine.call(callbacks.stopped, user); };
  }
  if (callbacks.room_created != nullptr) {
    to.rooms.created = [&, user](const std::string& room) {
      engine.call(callbacks.room_created, user, room.c_str());
    };
  }
  if (callbacks.joined != nullptr) {
    to.rooms.joined = [&, user](const std::string& room, const std::string& socket) {
      engine.call(callbacks.joined, user, room.c_str(), socket.c_str());
    };
  }
  if (callbacks.left != nullptr) {
    to.rooms.left = [&, user](const std::string& room, const std::string& socket) {
      engine.call(callbacks.left, user, room.c_str(), socket.c_str());
    };
  }
  if (callbacks.refused != nullptr) {
    to.rooms.refused = [&, user](const std::string& room, const std::string& socket,
                                 const std::string& reason) {
      engine.call(callbacks.refused, user, room.c_str(), socket.c_str(), reason.c_str());
    };
  }
  return to;
}

host::Program program_of(const sbx_engine& engine) {
  const sbx_callbacks& callbacks = engine.callbacks;
  host::Program program;
  if (callbacks.creating != nullptr) {
    program.creating = [&](const host::RoomRequest& request) {
      engine.call(callbacks.creating, callbacks.user, signalbox::capi::RoomView(request).get());
    };
  }
  if (callbacks.joining != nullptr) {
    program.joining = [&](const host::RoomRequest& request) {
      engine.call(callbacks.joining, callbacks.user, signalbox::capi::RoomView(request).get());
    };
  }
  if (callbacks.abandoned != nullptr) {
    program.abandoned = [&](uint64_t ticket) {
      engine.call(callbacks.abandoned, callbacks.user, ticket);
    };
  }
  return program;
}

const Status kInCallback = {ErrorCode::kState, "not inside a callback of this engine"};

}  // namespace

sbx_engine::sbx_engine(const sbx_config& config, const sbx_callbacks& host_callbacks)
    : callbacks(host_callbacks),
      engine(config.options, config.log_level, observers_of(*this), program_of(*this)) {}

sbx_error sbx_engine_create(const sbx_config* config, const sbx_callbacks* callbacks,
                            sbx_engine** engine) {
  return guard([&]() -> Status {
    if (config == nullptr) return null("config");
    if (engine == nullptr) return null("engine");
    sbx_callbacks copy{};
    if (callbacks != nullptr) {
      if (callbacks->size < kCallbacksSize1) {
        return {ErrorCode::kInvalid, "callbacks->size is not the size of an sbx_callbacks"};
      }
      std::memcpy(&copy, callbacks, std::min(callbacks->size, sizeof copy));
    }
    *engine = std::make_unique<sbx_engine>(*config, copy).release();
    return {};
  });
}

sbx_error sbx_engine_share_port(sbx_engine* engine, sbx_engine* with) {
  return guard([&] {
    if (engine == nullptr) return null("engine");
    if (with == nullptr) return null("with");
    return engine->engine.share_port(with->engine);
  });
}

sbx_error sbx_engine_start(sbx_engine* engine) {
  return guard([&] { return engine == nullptr ? null("engine") : engine->engine.start(); });
}

sbx_error sbx_engine_run(sbx_engine* engine) {
  return guard([&] {
    if (engine == nullptr) return null("engine");
    if (engine->calls_this_thread()) return kInCallback;
    return engine->engine.run();
  });
}

sbx_error sbx_engine_attach(sbx_engine* engine, struct uv_loop_s* loop) {
  return guard([&] {
    if (engine == nullptr) return null("engine");
    if (loop == nullptr) return null("loop");
    return engine->engine.attach(loop);
  });
}

sbx_error sbx_engine_open(sbx_engine* engine) {
  return guard([&] { return engine == nullptr ? null("engine") : engine->engine.open(); });
}

sbx_error sbx_engine_run_once(sbx_engine* engine, int timeout_ms) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (timeout_ms < -1) return {ErrorCode::kInvalid, "timeout_ms is less than -1"};
    if (engine->calls_this_thread()) return kInCallback;
    return engine->engine.run_once(timeout_ms);
  });
}

int sbx_engine_poll_fd(const sbx_engine* engine) {
  return engine == nullptr ? -1 : engine->engine.descriptor();
}

int sbx_engine_poll_timeout(const sbx_engine* engine) {
  return engine == nullptr ? -1 : engine->engine.timeout_ms();
}

sbx_error sbx_engine_stop(sbx_engine* engine) {
  // Nothing in here may fail or wait: it is called from signal handlers.
  if (engine == nullptr) return signalbox::capi::fail(SBX_E_INVALID, "engine is NULL");
  engine->engine.stop();
  return SBX_OK;
}

sbx_error sbx_engine_join(sbx_engine* engine) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (engine->calls_this_thread()) return kInCallback;
    engine->engine.join();
    return {};
  });
}

sbx_error sbx_engine_set(sbx_engine* engine, const char* name, const char* value) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (name == nullptr) return null("name");
    if (value == nullptr) return null("value");
    return engine->engine.set(name, value);
  });
}

sbx_error sbx_engine_set_log_level(sbx_engine* engine, int level) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    LogLevel read{};
    Status status = signalbox::capi::read_log_level(level, read);
    return status.ok() ? engine->engine.set_log_level(read) : status;
  });
}

uint16_t sbx_engine_port(const sbx_engine* engine) {
  return engine == nullptr ? uint16_t{0} : engine->engine.port();
}

sbx_error sbx_engine_destroy(sbx_engine* engine) {
  return guard([&]() -> Status {
    if (engine == nullptr) return {};
    if (engine->calls_this_thread()) return kInCallback;
    if (Status status = engine->engine.check_destroyable(); !status.ok()) return status;
    delete engine;
    return {};
  });
}
