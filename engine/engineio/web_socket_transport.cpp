#include "engine/engineio/web_socket_transport.h"

#include <utility>

#include "engine/engineio/server.h"
#include "engine/net/web_socket.h"

namespace signalbox::engineio {
namespace {

constexpr uint16_t kNormalClosure = 1000;  // RFC 6455, 7.4.1

}  // namespace

WebSocketTransport::WebSocketTransport(Server& server, const net::Address& client,
                                       std::unique_ptr<const Handshake> handshake,
                                       std::string upgrade_of)
    : server_(server),
      client_(client),
      handshake_(std::move(handshake)),
      upgrade_of_(std::move(upgrade_of)) {}

WebSocketTransport::~WebSocketTransport() = default;

void WebSocketTransport::on_open(net::WebSocket& socket) {
  socket_ = &socket;
  if (upgrade_of_.empty()) {
    session_ = &server_.open_session(client_, std::move(handshake_));
    session_->on_socket_open(*this);
    return;
  }
  // The session may have ended, or been upgraded, since the request was verified.
  Session* session = server_.find(upgrade_of_);
  upgrade_of_ = std::string();
  if (session == nullptr || !session->open() || session->socket_ != nullptr ||
      session->probe_ != nullptr) {
    close();
    return;
  }
  session_ = session;
  session_->on_probe_open(*this);
}

void WebSocketTransport::on_message(std::string_view data, bool binary) {
  if (session_ == nullptr) return;
  if (session_->socket_ == this) {
    session_->on_socket_message(data, binary);
  } else {
    session_->on_probe_message(data, binary);
  }
}

void WebSocketTransport::on_close() {
  socket_ = nullptr;
  if (session_ != nullptr) session_->on_socket_close(*this);
}

void WebSocketTransport::send(std::initializer_list<std::string_view> parts, bool binary) {
  if (socket_ != nullptr) socket_->send(parts, binary);
}

void WebSocketTransport::close() {
  if (socket_ != nullptr) socket_->close(kNormalClosure);
}

void WebSocketTransport::drop() {
  if (socket_ != nullptr) socket_->drop();
}

void WebSocketTransport::pause_reading() {
  if (socket_ != nullptr) socket_->pause_reading();
}

void WebSocketTransport::resume_reading() {
  if (socket_ != nullptr) socket_->resume_reading();
}

size_t WebSocketTransport::queued() const {
  return socket_ != nullptr ? socket_->queued() : 0;
}

size_t WebSocketTransport::kept() const {
  return socket_ != nullptr ? socket_->kept() : 0;
}

}  // namespace signalbox::engineio
