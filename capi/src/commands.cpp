// What a host tells a serving engine to do: each command is checked here and carried out later, on
// the engine's thread.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capi/src/engine.h"
#include "capi/src/guard.h"
#include "capi/src/views.h"
#include "engine/core/json.h"
#include "engine/core/utf8.h"
#include "engine/host/message.h"

using signalbox::ErrorCode;
using signalbox::Node;
using signalbox::Status;
using signalbox::capi::guard;
using signalbox::capi::null;
namespace host = signalbox::host;

namespace {

constexpr uint32_t kLongestTimeoutMs = 86'400'000;

template <typename Command>
Status submit(sbx_engine* engine, Command command) {
  if (engine->engine.submit(std::move(command))) return {};
  return {ErrorCode::kState, "the engine does not serve"};
}

std::string text_or_empty(const char* text) {
  return text != nullptr ? text : "";
}

Status copy(const sbx_bytes* attachments, size_t count, std::vector<std::string>& copies) {
  if (attachments == nullptr && count != 0) return null("attachments");
  copies.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const auto& [data, size] = attachments[i];
    if (data == nullptr && size != 0) {
      return null(("attachments[" + std::to_string(i) + "].data").c_str());
    }
    copies.emplace_back(static_cast<const char*>(data), size);
  }
  return {};
}

Status make_event(const char* event, const char* args, const sbx_bytes* attachments, size_t count,
                  host::Message& message) {
  if (event == nullptr) return null("event");
  std::vector<std::string> copies;
  Status status = copy(attachments, count, copies);
  if (!status.ok()) return status;
  return host::make_event(event, args != nullptr ? args : "[]", std::move(copies), message);
}

}  // namespace

sbx_error sbx_engine_call(sbx_engine* engine, void (*function)(void* user), void* user) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (function == nullptr) return null("function");
    return submit(engine, [engine, function, user](Node&) { engine->call(function, user); });
  });
}

sbx_error sbx_emit(sbx_engine* engine, const char* socket, const char* event, const char* args,
                   const sbx_bytes* attachments, size_t attachment_count) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (socket == nullptr) return null("socket");
    host::Message message;
    Status status = make_event(event, args, attachments, attachment_count, message);
    if (!status.ok()) return status;
    return submit(engine, [id = std::string(socket), message = std::move(message)](Node& node) {
      node.host().emit(id, message);
    });
  });
}

sbx_error sbx_emit_with_ack(sbx_engine* engine, const char* socket, const char* event,
                            const char* args, const sbx_bytes* attachments, size_t attachment_count,
                            uint32_t timeout_ms,
                            void (*handler)(void* user, const sbx_answer* answer), void* user) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (socket == nullptr) return null("socket");
    if (handler == nullptr) return null("handler");
    if (timeout_ms == 0 || timeout_ms > kLongestTimeoutMs) {
      return {ErrorCode::kInvalid, "timeout_ms is not in 1.." + std::to_string(kLongestTimeoutMs)};
    }
    host::Message message;
    Status status = make_event(event, args, attachments, attachment_count, message);
    if (!status.ok()) return status;
    return submit(engine, [engine, id = std::string(socket), message = std::move(message),
                           timeout_ms, handler, user](Node& node) {
      node.host().emit_with_ack(
          id, message, timeout_ms,
          [engine, id, handler, user](const signalbox::socketio::AckOutcome& outcome) {
            engine->call(handler, user, signalbox::capi::AnswerView(id, outcome).get());
          });
    });
  });
}

sbx_error sbx_broadcast(sbx_engine* engine, const char* nsp, const char* room, const char* except,
                        const char* event, const char* args, const sbx_bytes* attachments,
                        size_t attachment_count) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (nsp == nullptr) return null("nsp");
    if (Status status = host::check_namespace(nsp); !status.ok()) return status;
    std::optional<std::string> to_room;
    if (room != nullptr) {
      // Without a name it would be everyone's.
      if (Status status = host::check_room(room); !status.ok()) return status;
      to_room = room;
    }
    host::Message message;
    Status status = make_event(event, args, attachments, attachment_count, message);
    if (!status.ok()) return status;
    return submit(engine,
                  [name = std::string(nsp), to_room = std::move(to_room),
                   excepted = text_or_empty(except), message = std::move(message)](Node& node) {
                    node.host().broadcast(name, to_room, excepted, message);
                  });
  });
}

sbx_error sbx_broadcast_to_peers(sbx_engine* engine, const char* room, const char* except,
                                 const char* event, const char* args, const sbx_bytes* attachments,
                                 size_t attachment_count) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (room == nullptr) return null("room");
    if (!engine->engine.options().signaling_enabled) {
      return {ErrorCode::kState, "the room application is off (option signaling.enabled)"};
    }
    host::Message message;
    Status status = make_event(event, args, attachments, attachment_count, message);
    if (!status.ok()) return status;
    return submit(engine, [name = std::string(room), excepted = text_or_empty(except),
                           message = std::move(message)](Node& node) {
      node.broadcast_to_peers(name, excepted, message);
    });
  });
}

sbx_error sbx_ack(sbx_engine* engine, const char* socket, uint64_t ack, const char* args,
                  const sbx_bytes* attachments, size_t attachment_count) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (socket == nullptr) return null("socket");
    if (ack == 0) return {ErrorCode::kInvalid, "ack is 0: the client asked for none"};
    std::vector<std::string> copies;
    Status status = copy(attachments, attachment_count, copies);
    host::Message message;
    if (status.ok()) {
      status = host::make_ack(args != nullptr ? args : "[]", std::move(copies), message);
    }
    if (!status.ok()) return status;
    return submit(engine, [id = std::string(socket), ack, message = std::move(message)](
                              Node& node) { node.host().answer(id, ack, message); });
  });
}

sbx_error sbx_accept(sbx_engine* engine, uint64_t ticket) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    return submit(engine, [ticket](Node& node) { node.host().decide(ticket, {.accepted = true}); });
  });
}

sbx_error sbx_refuse(sbx_engine* engine, uint64_t ticket, const char* message, const char* data) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (message == nullptr) return null("message");
    const std::string json = text_or_empty(data);
    if (!signalbox::utf8_valid(message) || !signalbox::utf8_valid(json)) {
      return {ErrorCode::kInvalid, "message or data is not UTF-8"};
    }
    if (data != nullptr && !signalbox::json::scan_document(json).present()) {
      return {ErrorCode::kInvalid, "data is not the text of one JSON value"};
    }
    return submit(engine, [ticket, decision = host::Decision{.message = message, .data = json}](
                              Node& node) { node.host().decide(ticket, decision); });
  });
}

sbx_error sbx_disconnect(sbx_engine* engine, const char* socket, int close) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (socket == nullptr) return null("socket");
    return submit(engine, [id = std::string(socket), close](Node& node) {
      node.host().disconnect(id, close != 0);
    });
  });
}

namespace {

// Both need a socket and the name of a room.
template <typename Command>
sbx_error submit_membership(sbx_engine* engine, const char* socket, const char* room,
                            Command command) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (socket == nullptr) return null("socket");
    if (room == nullptr) return null("room");
    if (Status status = host::check_room(room); !status.ok()) return status;
    return submit(engine, [id = std::string(socket), name = std::string(room),
                           command](Node& node) { (node.host().*command)(id, name); });
  });
}

}  // namespace

sbx_error sbx_join(sbx_engine* engine, const char* socket, const char* room) {
  return submit_membership(engine, socket, room, &host::Host::join);
}

sbx_error sbx_leave(sbx_engine* engine, const char* socket, const char* room) {
  return submit_membership(engine, socket, room, &host::Host::leave);
}

sbx_error sbx_set_data(sbx_engine* engine, const char* socket, void* data,
                       void (*release)(void* data)) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (socket == nullptr) return null("socket");
    std::function<void(void*)> give_back;
    if (release != nullptr) {
      give_back = [engine, release](void* released) { engine->call(release, released); };
    }
    return submit(engine, [id = std::string(socket), data, give_back = std::move(give_back)](
                              Node& node) { node.host().set_data(id, data, give_back); });
  });
}

sbx_error sbx_http_respond(sbx_engine* engine, uint64_t ticket, int status, const sbx_pair* headers,
                           size_t header_count, const void* body, size_t body_size) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (headers == nullptr && header_count != 0) return null("headers");
    if (body == nullptr && body_size != 0) return null("body");
    if (status < 200 || status > 599) {
      return {ErrorCode::kInvalid, "status " + std::to_string(status) + " is not in 200..599"};
    }
    signalbox::net::Response response;
    response.status = status;
    response.content_type.clear();
    for (size_t i = 0; i < header_count; ++i) {
      const auto& [name, value] = headers[i];
      if (name == nullptr || value == nullptr) {
        return null(("headers[" + std::to_string(i) + "].name or .value").c_str());
      }
      if (Status added = host::add_header(response, name, value); !added.ok()) return added;
    }
    if (body_size != 0) response.body.assign(static_cast<const char*>(body), body_size);
    return submit(engine, [ticket, response = std::move(response)](Node& node) {
      node.host().respond(ticket, response);
    });
  });
}
