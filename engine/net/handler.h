// What the net floor asks of the floors above: an answer to each request, a decision about each
// WebSocket upgrade, and someone to take a WebSocket's messages.
//
// Thread: the loop's.
// Owner: see each function.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <variant>

#include "engine/net/http.h"

namespace signalbox::net {

class HttpExchange;
class WebSocket;

// Takes one WebSocket's events. Owned by its WebSocket and destroyed right after on_close().
class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  // The handshake is done; `socket` lives until on_close() returns.
  virtual void on_open(WebSocket& socket) = 0;
  // One whole message; `data` is valid during the call. Text is valid UTF-8.
  virtual void on_message(std::string_view data, bool binary) = 0;
  // The connection is gone, whoever ended it. Called once, and only after on_open().
  virtual void on_close() = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // How many bytes of body a request may have; one with more is answered 413 without asking again.
  virtual size_t body_limit(const Request& request) = 0;
  // A request's header is here and its body is to come; it may be answered already now.
  virtual void on_headers(const std::shared_ptr<HttpExchange>& /*exchange*/) {}
  // The request is complete. Answers now or later through exchange->respond(). Keep the pointer to
  // answer later.
  virtual void on_request(const std::shared_ptr<HttpExchange>& exchange) = 0;
  // The methods that a preflight of this path allows to pages of other origins (CORS).
  virtual std::string_view preflight_methods(const Request& /*request*/) {
    return "GET, POST, OPTIONS";
  }
  // A WebSocket handler to accept the upgrade, or the answer that refuses it.
  virtual std::variant<std::unique_ptr<WebSocketHandler>, Response> on_upgrade(
      const Request& request) = 0;
};

}  // namespace signalbox::net
