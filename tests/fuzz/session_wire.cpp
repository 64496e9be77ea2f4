#include "tests/fuzz/session_wire.h"

#include <array>
#include <string>
#include <utility>

#include "engine/core/utf8.h"

using namespace signalbox;

namespace {

// Nobody looks into it.
net::Server& no_server() {
  static std::array<std::max_align_t, 4> place;
  return reinterpret_cast<net::Server&>(place);
}

fuzz::Wire& wire_of(struct lws* wsi) {
  return *reinterpret_cast<fuzz::Wire*>(wsi);
}

}  // namespace

namespace fuzz {

Wire::Wire(std::unique_ptr<net::WebSocketHandler> handler,
           std::function<void(std::string_view)> sent)
    : handler_(*handler), sent_(std::move(sent)) {
  socket_ = std::make_unique<net::WebSocket>(no_server(), reinterpret_cast<struct lws*>(this),
                                             std::move(handler));
  handler_.on_open(*socket_);
}

Wire::~Wire() {
  ended_ = true;
  handler_.on_close();
}

void Wire::receive(std::string_view message, bool binary) {
  if (ended_) return;
  if (binary || utf8_valid(message)) {
    handler_.on_message(message, binary);
  } else {
    socket_->close(1007);
  }
}

void Wire::set_reads(bool reads) {
  reads_ = reads;
  if (reads) *queued_ = 0;
}

}  // namespace fuzz

namespace signalbox::net {

WebSocket::WebSocket(Server& server, struct lws* wsi, std::unique_ptr<WebSocketHandler> handler)
    : Attachment(kKind), server_(server), wsi_(wsi), handler_(std::move(handler)) {
  wire_of(wsi).queued_ = &queued_;
}

void WebSocket::send(std::initializer_list<std::string_view> parts, bool /*binary*/) {
  if (ended_ || close_code_ != 0) return;
  std::string message;
  for (const std::string_view part : parts) message += part;
  if (wire_of(wsi_).reads_) {
    wire_of(wsi_).sent_(message);
  } else {
    queued_ += message.size() + sizeof(Outgoing);
  }
}

void WebSocket::pause_reading() {}

void WebSocket::resume_reading() {}

void WebSocket::close(uint16_t code) {
  close_code_ = code;
  wire_of(wsi_).ended_ = true;
}

void WebSocket::drop() {
  ended_ = true;
  queued_ = 0;
  wire_of(wsi_).ended_ = true;
}

// Only net::Dispatch, which is linked but not run, calls these.
bool WebSocket::on_receive(const char* /*data*/, size_t /*length*/) {
  return ended_;
}
bool WebSocket::on_writable() {
  return ended_;
}

}  // namespace signalbox::net
