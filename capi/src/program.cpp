// What a host programs: namespaces, events, HTTP paths.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "capi/src/engine.h"
#include "capi/src/guard.h"
#include "capi/src/views.h"
#include "engine/host/message.h"

using signalbox::ErrorCode;
using signalbox::Status;
using signalbox::capi::ConnectView;
using signalbox::capi::EventView;
using signalbox::capi::guard;
using signalbox::capi::HttpView;
using signalbox::capi::null;
using signalbox::capi::SocketView;
namespace host = signalbox::host;

namespace {

// The struct as version 1.0 has it; later versions only append.
constexpr size_t kNamespaceSize1 = offsetof(sbx_namespace, event) + sizeof(sbx_namespace::event);

host::EventHandler event_handler(const sbx_engine& engine,
                                 void (*handler)(void* user, const sbx_event* event), void* user) {
  if (handler == nullptr) return nullptr;
  return [&engine, handler, user](const host::EventNews& news) {
    engine.call(handler, user, EventView(news).get());
  };
}

// Replaces all but the handlers of single events.
void set_handlers(const sbx_engine& engine, const sbx_namespace& from, host::NamespaceProgram& to) {
  const auto socket_handler = [&](void (*handler)(void* user, const sbx_socket* socket)) {
    return [&engine, handler, user = from.user](const host::SocketNews& news) {
      engine.call(handler, user, SocketView(news).get());
    };
  };
  to.connecting = nullptr;
  to.connected = nullptr;
  to.disconnected = nullptr;
  if (from.connecting != nullptr) {
    to.connecting = [&engine, handler = from.connecting,
                     user = from.user](const host::ConnectRequest& request) {
      engine.call(handler, user, ConnectView(request).get());
    };
  }
  if (from.connected != nullptr) to.connected = socket_handler(from.connected);
  if (from.disconnected != nullptr) to.disconnected = socket_handler(from.disconnected);
  to.any = event_handler(engine, from.event, from.user);
}

}  // namespace

sbx_error sbx_engine_add_namespace(sbx_engine* engine, const char* name,
                                   const sbx_namespace* handlers) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (name == nullptr) return null("name");
    sbx_namespace copy{};
    if (handlers != nullptr) {
      if (handlers->size < kNamespaceSize1) {
        return {ErrorCode::kInvalid, "handlers->size is not the size of an sbx_namespace"};
      }
      std::memcpy(&copy, handlers, std::min(handlers->size, sizeof copy));
    }
    if (Status status = host::check_namespace(name); !status.ok()) return status;
    return engine->engine.configure(
        [engine, copy, nsp = std::string(name)](host::Program& program) {
          set_handlers(*engine, copy, program.namespaces[nsp]);
        });
  });
}

sbx_error sbx_engine_on(sbx_engine* engine, const char* nsp, const char* event,
                        void (*handler)(void* user, const sbx_event* event), void* user) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (nsp == nullptr) return null("nsp");
    if (event == nullptr) return null("event");
    if (Status status = host::check_namespace(nsp); !status.ok()) return status;
    if (Status status = host::check_event(event); !status.ok()) return status;
    if (engine->engine.belongs_to_application(nsp, event)) {
      return {ErrorCode::kInvalid, std::string("the event '") + event +
                                       "' belongs to the room application; without that (option "
                                       "signaling.enabled) it could be yours"};
    }
    return engine->engine.configure(
        [name = std::string(event), to = std::string(nsp),
         call = event_handler(*engine, handler, user)](host::Program& program) {
          auto& events = program.namespaces[to].events;
          if (call) {
            events[name] = call;
          } else {
            events.erase(name);
          }
        });
  });
}

sbx_error sbx_engine_mount(sbx_engine* engine, const char* prefix,
                           void (*handler)(void* user, const sbx_http_request* request),
                           void* user) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (prefix == nullptr) return null("prefix");
    if (Status status = host::check_prefix(prefix); !status.ok()) return status;
    return engine->engine.configure(
        [engine, path = std::string(prefix), handler, user](host::Program& program) {
          if (handler == nullptr) {
            program.mounts.erase(path);
            return;
          }
          program.mounts[path] = [engine, handler, user](const host::HttpNews& news) {
            engine->call(handler, user, HttpView(news).get());
          };
        });
  });
}
