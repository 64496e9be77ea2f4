#include "engine/net/web_socket.h"

#include <libwebsockets.h>

#include <algorithm>
#include <utility>

#include "engine/core/utf8.h"
#include "engine/net/server.h"

namespace signalbox::net {
namespace {

constexpr int kCloseSeconds = 5;
// Most messages that come in pieces come in few: to count these would cost more than they do.
constexpr size_t kUncounted = 4096;
// RFC 6455, 7.4.1.
constexpr uint16_t kCloseNormal = 1000;
constexpr uint16_t kCloseInvalidData = 1007;
constexpr uint16_t kCloseTooBig = 1009;

}  // namespace

WebSocket::WebSocket(Server& server, struct lws* wsi, std::unique_ptr<WebSocketHandler> handler)
    : Attachment(kKind), server_(server), wsi_(wsi), handler_(std::move(handler)) {}

void WebSocket::send(std::initializer_list<std::string_view> parts, bool binary) {
  if (ended_ || close_code_ != 0) return;
  size_t length = 0;
  for (std::string_view part : parts) length += part.size();
  const auto gather = [&parts](char* to) {
    for (std::string_view part : parts) to = std::copy(part.begin(), part.end(), to);
  };
  if (queue_.empty() && !lws_partial_buffered(wsi_)) {
    // The usual case: the system takes it now, no turn of the loop is spent on waiting for that.
    std::string& scratch = server_.scratch_;
    if (scratch.size() < LWS_PRE + length) scratch.resize(LWS_PRE + length);
    gather(scratch.data() + LWS_PRE);
    if (!write(scratch.data(), length, binary) || half_sent_ == 0) return;
    account();
    lws_callback_on_writable(wsi_);
    return;
  }
  std::string padded(LWS_PRE + length, '\0');
  gather(padded.data() + LWS_PRE);
  queued_ += length + sizeof(Outgoing);
  queue_.push_back({std::move(padded), binary});
  account();
  lws_callback_on_writable(wsi_);
}

void WebSocket::close(uint16_t code) {
  if (ended_ || close_code_ != 0) return;
  close_code_ = code == 0 ? kCloseNormal : code;
  end_within(kCloseSeconds);
  lws_callback_on_writable(wsi_);
}

void WebSocket::pause_reading() {
  if (!ended_) lws_rx_flow_control(wsi_, 0);
}

void WebSocket::resume_reading() {
  if (ended_) return;
  lws_rx_flow_control(wsi_, 1);
  lws_cancel_service_pt(wsi_);  // it looks at what it has read already only when something happens
}

bool WebSocket::write(char* padded, size_t length, bool binary) {
  auto* data = reinterpret_cast<unsigned char*>(padded) + LWS_PRE;
  const int written = lws_write(wsi_, data, length, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
  if (written >= 0) {
    half_sent_ = lws_partial_buffered(wsi_) ? length : 0;
    return true;
  }
  drop();
  return false;
}

void WebSocket::account() {
  const size_t coming = partial_ ? partial_->size() : 0;
  kept_.set(*server_.group_, queued_ + half_sent_ + (coming > kUncounted ? coming : 0));
}

// Ends the connection from wherever we are: libwebsockets forbids closing inside lws_write.
void WebSocket::drop() {
  if (ended_) return;
  ended_ = true;
  queue_.clear();
  queued_ = 0;
  account();
  end_within(LWS_TO_KILL_ASYNC);
}

// libwebsockets looks at its deadlines only when something happens to it, and where no client is
// busy nothing would: it is woken up.
void WebSocket::end_within(int seconds) {
  lws_set_timeout(wsi_, PENDING_TIMEOUT_CLOSE_SEND, seconds);
  lws_cancel_service_pt(wsi_);
}

bool WebSocket::on_receive(const char* data, size_t length) {
  if (ended_ || close_code_ != 0) return true;
  const size_t limit = static_cast<size_t>(server_.options_.engineio_max_payload);
  const size_t rest = lws_remaining_packet_payload(wsi_);
  const size_t before = partial_ ? partial_->size() : 0;
  if (rest > limit || before + length + rest > limit) return refuse_message();
  const bool whole = rest == 0 && lws_is_final_fragment(wsi_) != 0;
  const bool binary = lws_frame_is_binary(wsi_) != 0;
  if (!partial_ && whole) return take_message({data, length}, binary);
  if (!partial_) {
    partial_ = std::make_unique<std::string>();
    partial_->reserve(length + rest);
  }
  partial_->append(data, length);
  account();
  const auto most = static_cast<size_t>(server_.options_.engineio_max_buffered_total);
  if (partial_->size() > kUncounted && server_.group_->too_many(kept_.get(), most)) {
    return refuse_message();
  }
  if (whole) {
    // Let go first: the handler may close us or take long.
    const std::unique_ptr<std::string> message = std::move(partial_);
    account();
    return take_message(*message, binary);
  }
  return true;
}

bool WebSocket::take_message(std::string_view message, bool binary) {
  if (!binary && !utf8_valid(message)) {  // RFC 6455, 8.1
    ++server_.counters_.packets_invalid;
    return refuse(kCloseInvalidData);
  }
  handler_->on_message(message, binary);
  return true;
}

bool WebSocket::refuse_message() {
  ++server_.counters_.messages_too_large;
  return refuse(kCloseTooBig);
}

bool WebSocket::refuse(uint16_t code) {
  partial_.reset();
  lws_close_reason(wsi_, static_cast<lws_close_status>(code), nullptr, 0);
  return false;
}

bool WebSocket::on_writable() {
  if (ended_) return true;
  if (!lws_partial_buffered(wsi_)) half_sent_ = 0;
  size_t sent = 0;
  while (sent < queue_.size() && !lws_partial_buffered(wsi_)) {
    Outgoing& next = queue_[sent];
    const size_t length = next.data.size() - LWS_PRE;
    queued_ -= length + sizeof(Outgoing);
    if (!write(next.data.data(), length, next.binary)) return true;  // drop() ends it
    ++sent;
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(sent));
  account();
  if (!queue_.empty() || lws_partial_buffered(wsi_)) {
    lws_callback_on_writable(wsi_);
    return true;
  }
  if (close_code_ != 0) {
    // Ending a writable callback with an error would drop the close frame; this sends it, waits a
    // while for the peer's, and then reports the end.
    lws_close_reason(wsi_, static_cast<lws_close_status>(close_code_), nullptr, 0);
    ended_ = true;
    lws_set_timeout(wsi_, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
    return true;
  }
  queue_.shrink_to_fit();  // an idle connection keeps nothing
  return true;
}

}  // namespace signalbox::net
