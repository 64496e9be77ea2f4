#include "engine/net/dispatch.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <variant>

#include "engine/core/utf8.h"
#include "engine/net/chunked_decoder.h"
#include "engine/net/lws_request.h"
#include "engine/net/received_bytes.h"
#include "engine/net/tls_relay.h"

namespace signalbox::net {
namespace {

Connection* connection_of(struct lws* wsi) {
  return static_cast<Connection*>(lws_get_opaque_user_data(wsi));
}

template <typename Kind>
Kind* attached(struct lws* wsi) {
  Connection* connection = connection_of(wsi);
  if (connection == nullptr || !connection->attachment) return nullptr;
  Attachment& attachment = *connection->attachment;
  return attachment.kind == Kind::kKind ? static_cast<Kind*>(&attachment) : nullptr;
}

// The exchange in progress, or null.
std::shared_ptr<HttpExchange> exchange_of(struct lws* wsi) {
  auto* holder = attached<ExchangeAttachment>(wsi);
  return holder != nullptr ? holder->exchange : nullptr;
}

// Whether libwebsockets may begin a request here: one that the reception has cleared.
bool begins(Connection& connection) {
  if (connection.last || connection.cleared.requests == 0) return false;
  --connection.cleared.requests;
  return true;
}

// Whether libwebsockets has read what was cleared, and nothing beyond it.
bool has_read_what_is_cleared(const Connection& connection) {
  const uint64_t cleared = connection.cleared.bytes;
  return connection.relay ? has_read_of_pair(connection.fd, cleared, connection.relay->delivered())
                          : has_read(connection.fd, cleared);
}

// Writes header or interim bytes at once; libwebsockets keeps what the system does not take.
bool write_raw(struct lws* wsi, std::string_view text) {
  std::string padded(LWS_PRE, '\0');
  padded += text;
  return lws_write(wsi, reinterpret_cast<unsigned char*>(padded.data()) + LWS_PRE, text.size(),
                   LWS_WRITE_HTTP_HEADERS) >= 0;
}

// 16 bytes in base64 (RFC 6455, 4.2.1); libwebsockets takes any text.
bool is_websocket_key(std::string_view key) {
  constexpr size_t kDigits = 22;
  return key.size() == kDigits + 2 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + kDigits,
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; });
}

constexpr int kEnd = -1;
// To a client that has too many connections: how soon some may be over.
constexpr const char* kRetryAfter = "Retry-After: 5\r\n";
constexpr const char* kTooMany = "Too many connections from this address";
constexpr int kSecondsToTakeAnswer = 30;

// Of a body that is too large this many times the limit is read and dropped.
constexpr uint64_t kMostDroppedBodies = 16;

}  // namespace

int Dispatch::callback(struct lws* wsi, enum lws_callback_reasons reason, void* /*user*/, void* in,
                       size_t length) {
  struct lws_context* context = lws_get_context(wsi);
  auto* server = static_cast<Server*>(context != nullptr ? lws_context_user(context) : nullptr);
  if (server == nullptr) return 0;
  int result = kEnd;
  server->loop_.guard([&] { result = dispatch(*server, wsi, reason, in, length); });
  return result;
}

int Dispatch::dispatch(Server& server, struct lws* wsi, enum lws_callback_reasons reason, void* in,
                       size_t length) {
  const char* data = static_cast<const char*>(in);
  switch (reason) {
    case LWS_CALLBACK_HTTP:
      return on_http(server, wsi);
    case LWS_CALLBACK_HTTP_BODY:
      return on_body(server, wsi, data, length);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
      return on_body_complete(server, wsi);
    case LWS_CALLBACK_HTTP_WRITEABLE:
      if (auto exchange = exchange_of(wsi); exchange && exchange->answered_) {
        return exchange->sent_ ? finish(server, *exchange) : send_reply(server, *exchange);
      }
      return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      // `in` may point into freed memory here (CVE-2025-11677): it is not looked at.
      return on_upgrade(server, wsi);
    case LWS_CALLBACK_ESTABLISHED:
      return on_established(server, wsi);
    case LWS_CALLBACK_RECEIVE:
      if (WebSocket* socket = attached<WebSocket>(wsi))
        return socket->on_receive(data, length) ? 0 : kEnd;
      return kEnd;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      // Behind the code comes a reason, which is text; such a close frame is not answered.
      return length <= 2 || utf8_valid({data + 2, length - 2}) ? 0 : kEnd;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      if (WebSocket* socket = attached<WebSocket>(wsi)) return socket->on_writable() ? 0 : kEnd;
      return 0;
    case LWS_CALLBACK_CLOSED:
      if (WebSocket* socket = attached<WebSocket>(wsi)) {
        socket->ended_ = true;  // on_close() may still try to send
        socket->handler_->on_close();
        --server.web_sockets_;
      }
      if (Connection* connection = connection_of(wsi)) connection->attach(nullptr);
      return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
      on_http_closed(server, wsi);
      return 0;
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_SKT_BIND_PROTOCOL:
    case LWS_CALLBACK_RAW_RX:
      return kEnd;  // a CONNECT request makes it a raw socket, without timeouts
    case LWS_CALLBACK_WSI_CREATE:
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      on_http_closed(server, wsi);
      server.remove(connection_of(wsi));
      return 0;
    default:
      return 0;
  }
}

Request Dispatch::read(Server& server, struct lws* wsi) {
  Request request = read_request(wsi, connection_of(wsi)->presence->peer(), server.trusted_);
  if (server.headers_kept_) request.headers = server.shown_headers_.read(wsi);
  return request;
}

int Dispatch::on_http(Server& server, struct lws* wsi) {
  Connection& connection = *connection_of(wsi);
  if (!begins(connection)) return kEnd;
  ++server.counters_.http_requests;
  const BodyFraming framing = body_framing(wsi);
  auto exchange = std::make_shared<HttpExchange>(server, wsi, read(server, wsi));
  connection.attach(std::make_unique<ExchangeAttachment>(exchange));
  HttpExchange& x = *exchange;
  x.in_callback_ = true;
  x.begun_ms_ = server.loop_.now_ms();
  x.body_limit_ = server.handler_.body_limit(x.request_);
  connection.body_left = framing.length;
  bool complete = false;
  switch (request_line_intact(wsi) ? framing.kind : BodyFraming::Kind::kInvalid) {
    case BodyFraming::Kind::kInvalid:
      x.close_ = true;
      refuse(x, 400, "Bad request");
      break;
    case BodyFraming::Kind::kChunked:
      // libwebsockets takes the framing for a body without end: nothing may follow on this
      // connection.
      x.close_ = true;
      if (presumes_body(wsi)) {
        x.chunks_ = std::make_unique<ChunkedDecoder>();
      } else {
        refuse(x, 411, "Length required");
      }
      break;
    case BodyFraming::Kind::kLength:
      if (framing.length > x.body_limit_) {
        // A client that is cut off while it sends may never read why: the body is read to its end
        // and dropped, unless it is out of all proportion.
        x.close_ = framing.length > kMostDroppedBodies * x.body_limit_;
        refuse_body(server, x);
      } else if (framing.length == 0 && x.request_.method != Method::kPost) {
        complete = true;  // of a POST libwebsockets calls the completion itself
      }
      break;
    case BodyFraming::Kind::kNone:
      complete = true;
      // Here libwebsockets waits for a body that will not come.
      x.close_ = presumes_body(wsi);
      break;
  }
  if (!x.answered_ && !server.admit_request(connection, x.request_.client)) {
    x.delivered_ = complete;  // nobody else gets it
    refuse(x, 429, kTooMany, kRetryAfter);
  }
  if (!x.answered_ && !complete) {
    server.handler_.on_headers(attached<ExchangeAttachment>(wsi)->undelivered);
  }
  if (!x.answered_ && !complete && expects_continue(wsi) &&
      !write_raw(wsi, "HTTP/1.1 100 Continue\r\n\r\n")) {
    return kEnd;
  }
  if (complete && !x.answered_) deliver(server, x);
  return settle(server, x, complete);
}

int Dispatch::on_body(Server& server, struct lws* wsi, const char* data, size_t length) {
  Connection& connection = *connection_of(wsi);
  const uint64_t left = connection.body_left;
  connection.body_left -= std::min<uint64_t>(left, length);
  const auto exchange = exchange_of(wsi);
  if (!exchange) return connection.last && connection.body_left == 0 ? kEnd : 0;
  if (length == 0) return 0;
  HttpExchange& x = *exchange;
  if (x.answered_ || x.delivered_) return 0;  // what follows a refusal or the last chunk
  // libwebsockets begins to wait anew with each piece; the request as a whole has a deadline.
  if (server.loop_.now_ms() >
      x.begun_ms_ + static_cast<uint64_t>(server.options_.http_request_timeout)) {
    return kEnd;
  }
  x.in_callback_ = true;
  std::string& body = x.request_.body;
  bool complete = false;
  if (x.chunks_) {
    switch (x.chunks_->feed({data, length}, body)) {
      case ChunkedDecoder::Result::kMore:
        break;
      case ChunkedDecoder::Result::kDone:
        complete = true;
        break;
      case ChunkedDecoder::Result::kInvalid:
        refuse(x, 400, "Bad chunked body");
        break;
    }
  } else {
    // What is beyond it is no part of it (kReadsBeyondBodies); finish() sees that it was read.
    body.append(data, std::min<uint64_t>(left, length));
    complete = connection.body_left == 0;
  }
  if (body.size() > x.body_limit_) {
    x.close_ = true;
    refuse_body(server, x);
  } else if (!keep_body(server, x)) {
    ++server.counters_.bodies_refused;
    refuse(x, 503, "The server has no room for this now");
  } else if (complete) {
    deliver(server, x);
  }
  return settle(server, x, complete);
}

bool Dispatch::keep_body(Server& server, HttpExchange& exchange) {
  std::string& body = exchange.request_.body;
  exchange.body_kept_.set(*server.group_, body.capacity());
  const auto most = static_cast<size_t>(server.options_.engineio_max_buffered_total);
  if (!server.group_->too_many(exchange.body_kept_.get(), most)) return true;
  std::string().swap(body);
  exchange.body_kept_.set(*server.group_, 0);
  return false;
}

int Dispatch::on_body_complete(Server& server, struct lws* wsi) {
  const auto exchange = exchange_of(wsi);
  // libwebsockets completes a second time when bytes of a next request arrive before the answer.
  if (!exchange || exchange->delivered_) return 0;
  exchange->in_callback_ = true;
  deliver(server, *exchange);
  return settle(server, *exchange, true);
}

int Dispatch::on_upgrade(Server& server, struct lws* wsi) {
  // Anything but a WebSocket is turned away here: libwebsockets would go on to HTTP/2 (h2c), whose
  // header decoder writes out of bounds (CVE-2026-19773).
  if (strcasecmp(header(wsi, WSI_TOKEN_UPGRADE).c_str(), "websocket") != 0) return kEnd;
  Connection& connection = *connection_of(wsi);
  if (!begins(connection)) return kEnd;
  ++server.counters_.http_requests;
  const Request request = read(server, wsi);
  // The session lives with another server, which cannot be given a connection whose beginning has
  // been read. A proxy that keeps connections, the only one to ask this on a used one, asks again
  // on a new one when it finds this one closed, and that goes where it belongs.
  if (server.elsewhere(request)) return kEnd;
  const BodyFraming framing = body_framing(wsi);
  Response refusal;
  if (request.method != Method::kGet || header(wsi, WSI_TOKEN_VERSION) != "13" ||
      !is_websocket_key(header(wsi, WSI_TOKEN_KEY)) || framing.length != 0 ||
      (framing.kind != BodyFraming::Kind::kNone && framing.kind != BodyFraming::Kind::kLength) ||
      !request_line_intact(wsi)) {
    refusal = {.status = 400, .body = error_body("Bad WebSocket handshake")};
  } else if (!server.admit_request(connection, request.client)) {
    refusal = {.status = 429, .body = error_body(kTooMany), .headers = kRetryAfter};
  } else {
    auto decision = server.handler_.on_upgrade(request);
    if (auto* handler = std::get_if<std::unique_ptr<WebSocketHandler>>(&decision)) {
      connection.presence->request_is_whole();
      connection.attach(std::make_unique<UpgradeAttachment>(std::move(*handler)));
      server.offer_subprotocol(header(wsi, WSI_TOKEN_PROTOCOL));
      return 0;
    }
    refusal = std::get<Response>(std::move(decision));
  }
  write_raw(wsi, serialize(refusal, request.method, false,
                           server.origins_.headers(request.origin, request.host)));
  return kEnd;
}

int Dispatch::on_established(Server& server, struct lws* wsi) {
  auto* accepted = attached<UpgradeAttachment>(wsi);
  if (accepted == nullptr) return kEnd;
  auto socket = std::make_unique<WebSocket>(server, wsi, std::move(accepted->handler));
  WebSocket& opened = *socket;
  connection_of(wsi)->attach(std::move(socket));
  ++server.web_sockets_;
  opened.handler_->on_open(opened);
  return 0;
}

void Dispatch::on_http_closed(Server& server, struct lws* wsi) {
  Connection* connection = connection_of(wsi);
  if (connection == nullptr) return;
  if (std::exchange(connection->waiting, false)) server.reception_->forget(connection->fd);
  if (const auto exchange = exchange_of(wsi)) {
    server.unwatch(*exchange);
    exchange->client_left();
  }
  connection->attach(nullptr);
}

void Dispatch::deliver(Server& server, HttpExchange& exchange) {
  exchange.delivered_ = true;
  connection_of(exchange.wsi_)->presence->request_is_whole();
  if (exchange.request_.method == Method::kOptions) {
    exchange.respond({.status = 204});
    return;
  }
  if (server.forward(exchange)) return;
  server.handler_.on_request(
      std::exchange(attached<ExchangeAttachment>(exchange.wsi_)->undelivered, nullptr));
}

void Dispatch::refuse(HttpExchange& exchange, int status, const char* error, const char* headers) {
  exchange.respond({.status = status, .body = error_body(error), .headers = headers});
}

void Dispatch::refuse_body(Server& server, HttpExchange& exchange) {
  ++server.counters_.bodies_too_large;
  refuse(exchange, 413, "Payload too large");
}

int Dispatch::settle(Server& server, HttpExchange& exchange, bool request_complete) {
  exchange.in_callback_ = false;
  if (exchange.answered_) return send_reply(server, exchange);
  if (!request_complete) return 0;
  // The answer comes later. Until then nothing is read: libwebsockets would spin on waiting bytes.
  server.pause_reading(exchange);
  return 0;
}

int Dispatch::send_reply(Server& server, HttpExchange& exchange) {
  struct lws* wsi = exchange.wsi_;
  if (!write_raw(wsi, exchange.reply_)) return kEnd;
  if (exchange.close_) return kEnd;
  exchange.sent_ = true;
  if (lws_partial_buffered(wsi) == 0) return finish(server, exchange);
  // libwebsockets calls when all is taken; a client that does not take it must not stay for ever.
  lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, kSecondsToTakeAnswer);
  return 0;
}

int Dispatch::finish(Server& server, HttpExchange& exchange) {
  struct lws* wsi = std::exchange(exchange.wsi_, nullptr);
  Connection& connection = *connection_of(wsi);
  connection.last = exchange.last_;
  connection.attach(nullptr);  // `exchange` may be gone now
  connection.presence->request_is_whole();
  if (std::exchange(connection.counts_request, false)) connection.presence->count_for_nobody();
  if (connection.last) {  // on_body() drops the rest
    if (connection.body_left == 0) return kEnd;
    // libwebsockets waits anew behind each piece.
    server.leaving_.start(connection.leaving);
    return 0;
  }
  // What libwebsockets has read beyond what was cleared nobody has looked at.
  const bool goes_on = connection.cleared.requests > 0;
  if (!goes_on && !has_read_what_is_cleared(connection)) return kEnd;
  if (lws_http_transaction_completed(wsi) != 0) return kEnd;
  return goes_on || server.await_request(connection) ? 0 : kEnd;
}

}  // namespace signalbox::net
