// Session as far as its transport is long polling.

#include <utility>

#include "engine/core/utf8.h"
#include "engine/engineio/server.h"
#include "engine/engineio/session.h"
#include "engine/net/http_exchange.h"

namespace signalbox::engineio {
namespace {

// Packets of one POST that are taken before others get their turn.
constexpr int kMostInTurn = 256;

}  // namespace

void Session::on_poll(const std::shared_ptr<net::HttpExchange>& exchange) {
  if (poll_) {
    // Which of the two would get what is sent? The session ends; the first poll is told so.
    exchange->respond(Server::refuse(Server::Refusal::kRequest));
    end(CloseReason::kTransportError, Farewell::kIfPolled);
    return;
  }
  poll_ = exchange;
  keeps_connection_ = exchange->request().keep_alive;
  if (state_ == State::kClosing && pending_.empty()) {
    pending_.push_back({PacketType::kClose, false, {}});
  } else if (probed_ && pending_.empty()) {
    // The client waits for this poll to end before it moves to the WebSocket.
    pending_.push_back({PacketType::kNoop, false, {}});
  }
  if (!pending_.empty()) {
    answer_poll();
    return;
  }
  exchange->set_on_abort([this] {
    poll_.reset();
    if (state_ == State::kOpen) end(CloseReason::kTransportClose, Farewell::kNone);
  });
}

void Session::answer_poll() {
  std::string payload;
  const bool last = pending_.back().type == PacketType::kClose;
  for (const Pending& packet : pending_) {
    append_to_payload(payload, packet.type, packet.binary, packet.data);
  }
  pending_.clear();
  pending_.shrink_to_fit();
  set_pending_bytes(0);
  std::exchange(poll_, nullptr)
      ->respond({.content_type = "text/plain; charset=UTF-8",
                 .body = std::move(payload),
                 .headers = "Cache-Control: no-store\r\n",
                 .compress = true});
  if ((state_ == State::kClosing && last) || state_ == State::kLeaving) {
    state_ = State::kClosed;
    server_.retire(*this);
  }
}

bool Session::begin_post(const std::shared_ptr<net::HttpExchange>& exchange) {
  // What is refused whatever it says is not waited for: binary is in base64 since revision 4.
  const bool fits = exchange->request().content_type != "application/octet-stream";
  if (fits && !post_ && coming_post_.expired()) {
    coming_post_ = exchange;
    return true;
  }
  // Of two at once, which comes first? "The server MUST [...] close the session" (Engine.IO
  // protocol).
  if (state_ == State::kOpen) end(CloseReason::kTransportError, Farewell::kIfPolled);
  return false;
}

void Session::on_post(const std::shared_ptr<net::HttpExchange>& exchange) {
  if (post_) {  // two at once, see begin_post()
    exchange->respond(Server::refuse(Server::Refusal::kRequest));
    end(CloseReason::kTransportError, Farewell::kIfPolled);
    return;
  }
  coming_post_.reset();
  const std::string& body = exchange->request().body;
  post_ = std::make_shared<Post>(Post{exchange, PayloadReader(body)});
  if (body.empty() || !utf8_valid(body)) {
    end_post(false);
    return;
  }
  if (state_ != State::kOpen) {  // only its last words are still to be fetched
    end_post(true);
    return;
  }
  take_packets();
  // All of it is here: it is taken to its end, also when its client is gone, or seems to be.
  if (post_) rest();
}

void Session::take_packets() {
  const auto post = post_;  // a packet may end the session
  for (int taken = 0; post_ && may_send() && taken < kMostInTurn; ++taken) {
    const auto packet = post->reader.next();
    if (!packet) {
      end_post(!post->reader.failed());
      return;
    }
    on_packet(*packet);
  }
  if (post_ && !may_send()) ++server_.counters_.clients_slowed;
}

void Session::end_post(bool valid) {
  const auto exchange = std::exchange(post_, nullptr)->exchange;
  if (valid) {
    exchange->respond(
        {.content_type = "text/html", .body = "ok", .headers = "Cache-Control: no-store\r\n"});
    return;
  }
  ++server_.counters_.packets_invalid;
  exchange->respond(Server::refuse(Server::Refusal::kRequest));
  if (state_ == State::kOpen) end(CloseReason::kParseError, Farewell::kIfPolled);
}

}  // namespace signalbox::engineio
