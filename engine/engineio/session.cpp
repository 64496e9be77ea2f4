#include "engine/engineio/session.h"

#include <algorithm>
#include <utility>

#include "engine/core/base64.h"
#include "engine/core/utf8.h"
#include "engine/engineio/server.h"
#include "engine/engineio/web_socket_transport.h"
#include "engine/net/http_exchange.h"

namespace signalbox::engineio {
namespace {

constexpr std::string_view kProbe = "probe";

}  // namespace

std::string_view reason_text(CloseReason reason) {
  switch (reason) {
    case CloseReason::kTransportClose:
      return "transport close";
    case CloseReason::kTransportError:
      return "transport error";
    case CloseReason::kPingTimeout:
      return "ping timeout";
    case CloseReason::kParseError:
      return "parse error";
    case CloseReason::kSlowReader:
      return "slow reader";
    case CloseReason::kForced:
      return "forced close";
    case CloseReason::kShutdown:
      return "server shutting down";
  }
  return "unknown";
}

Session::Session(Server& server, std::string id, const net::Address& client,
                 std::unique_ptr<const Handshake> handshake)
    : server_(server),
      id_(std::move(id)),
      client_(client),
      handshake_(std::move(handshake)),
      heartbeat_(this),
      upgrade_(this),
      rest_(this) {}

Session::~Session() {
  if (poll_) poll_->set_on_abort(nullptr);
}

void Session::begin(std::unique_ptr<SessionHandler> handler) {
  handler_ = std::move(handler);
  server_.pings_.start(heartbeat_);
}

void Session::send(std::string_view data, bool binary) {
  if (state_ != State::kOpen) {
    ++server_.counters_.messages_dropped;
    return;
  }
  ++server_.counters_.messages_sent;
  send_packet(PacketType::kMessage, binary, data);
}

void Session::send_packet(PacketType type, bool binary, std::string_view data) {
  if (socket_ != nullptr) {
    const char prefix = static_cast<char>(type);
    if (binary) {
      socket_->send({data}, true);
    } else {
      socket_->send({std::string_view(&prefix, 1), data}, false);
    }
  } else {
    pending_.push_back({type, binary, std::string(data)});
    set_pending_bytes(pending_bytes_.get() + data.size() + sizeof(Pending));
    if (poll_) answer_poll();
  }
  if (too_much_waits()) {
    ++server_.counters_.messages_dropped;
    if (state_ != State::kOpen) return;
    ++server_.counters_.sessions_slow_reader;
    end(CloseReason::kSlowReader, Farewell::kNone);
  }
}

bool Session::too_much_waits() const {
  const bool polling = socket_ == nullptr;
  const size_t queued = polling ? pending_bytes_.get() : socket_->queued();
  if (queued > static_cast<size_t>(server_.options_.engineio_max_buffered)) return true;
  return too_much_kept(polling ? queued : socket_->kept());
}

bool Session::too_much_kept(size_t bytes) const {
  return server_.place_.group->too_many(
      bytes, static_cast<size_t>(server_.options_.engineio_max_buffered_total));
}

void Session::set_pending_bytes(size_t bytes) {
  pending_bytes_.set(*server_.place_.group, bytes);
}

bool Session::keep(size_t bytes) {
  unfinished_.set(*server_.place_.group, bytes);
  return !too_much_kept(bytes);
}

bool Session::at_rest() const {
  return !handler_->busy() && coming_post_.expired() && !post_ && !owes_messages();
}

bool Session::owes_messages() const {
  return keeps_connection_ &&
         std::any_of(pending_.begin(), pending_.end(),
                     [](const Pending& each) { return each.type == PacketType::kMessage; });
}

void Session::on_socket_open(WebSocketTransport& socket) {
  socket_ = &socket;
  send_packet(PacketType::kOpen, false, server_.open_packet(*this, false));
}

void Session::on_socket_message(std::string_view data, bool binary) {
  if (state_ != State::kOpen) return;
  // The official client with `forceBase64` sends text here too.
  std::string decoded;
  const bool base64 = !binary && data.starts_with('b') && decode_base64(data.substr(1), decoded);
  const auto packet = binary   ? Packet{PacketType::kMessage, true, data}
                      : base64 ? Packet{PacketType::kMessage, true, decoded}
                               : decode_packet(data);
  if (!packet) {
    ++server_.counters_.packets_invalid;
    end(CloseReason::kParseError, Farewell::kIfPolled);
    return;
  }
  on_packet(*packet);
  if (state_ != State::kOpen || rest_.active() || may_send()) return;
  ++server_.counters_.clients_slowed;
  socket_->pause_reading();
  rest();
}

void Session::on_probe_open(WebSocketTransport& probe) {
  probe_ = &probe;
  server_.upgrades_.start(upgrade_);
}

void Session::on_probe_message(std::string_view data, bool binary) {
  const auto packet = binary ? std::nullopt : decode_packet(data);
  if (packet && packet->type == PacketType::kPing && packet->data == kProbe && !probed_) {
    const char pong = static_cast<char>(PacketType::kPong);
    probe_->send({std::string_view(&pong, 1), kProbe}, false);
    probed_ = true;
    // A poll that waits would keep the client from moving.
    if (poll_) send_packet(PacketType::kNoop, false, {});
    return;
  }
  if (!packet || packet->type != PacketType::kUpgrade || !probed_) {
    drop_probe();
    return;
  }
  ++server_.counters_.upgrades;
  upgrade_.stop();
  if (poll_) send_packet(PacketType::kNoop, false, {});
  socket_ = std::exchange(probe_, nullptr);
  probed_ = false;
  std::vector<Pending> waiting = std::move(pending_);
  pending_ = {};
  set_pending_bytes(0);
  for (const Pending& next : waiting) {
    if (state_ != State::kOpen) return;
    send_packet(next.type, next.binary, next.data);
  }
  if (rest_.active()) socket_->pause_reading();
}

void Session::on_socket_close(WebSocketTransport& socket) {
  if (&socket == probe_) {
    upgrade_.stop();
    probe_ = nullptr;
    probed_ = false;
    return;
  }
  socket_ = nullptr;
  if (state_ == State::kOpen) end(CloseReason::kTransportClose, Farewell::kNone);
}

void Session::drop_probe() {
  upgrade_.stop();
  probed_ = false;
  if (WebSocketTransport* probe = std::exchange(probe_, nullptr)) {
    probe->detach();
    probe->close();
  }
}

bool Session::may_send() const {
  return allowance_.open(server_.loop_.now_ms(), server_.packet_rate());
}

void Session::rest() {
  (may_send() ? server_.turns_ : server_.rests_).start(rest_);
}

void Session::go_on() {
  if (may_send() && post_) take_packets();
  if (state_ != State::kOpen) return;
  if (post_ || !may_send()) {
    rest();
  } else if (socket_ != nullptr) {
    socket_->resume_reading();
  }
}

void Session::on_packet(const Packet& packet) {
  allowance_.spend(server_.loop_.now_ms(), server_.packet_rate());
  if (pong_due_ == PongDue::kSoon && packet.type != PacketType::kPong) {
    // Something else came first, maybe a long message on a slow line: as engine.io does, wait anew,
    // once.
    pong_due_ = PongDue::kExtended;
    server_.pongs_.start(heartbeat_);
  }
  switch (packet.type) {
    case PacketType::kMessage:
      ++server_.counters_.messages_received;
      // Without memory nobody can say what of it was done: the session ends.
      if (!server_.loop_.guard([&] { handler_->on_message(packet.data, packet.binary); })) {
        close(CloseReason::kForced);
      }
      return;
    case PacketType::kPong:
      pong_due_ = PongDue::kNo;
      server_.pings_.start(heartbeat_);
      return;
    case PacketType::kPing:  // in revision 4 the server pings
      end(CloseReason::kTransportError, Farewell::kIfPolled);
      return;
    case PacketType::kClose:
      // The other side is done: nothing but an end of its poll is owed.
      if (poll_) send_packet(PacketType::kNoop, false, {});
      end(CloseReason::kTransportClose, Farewell::kNone);
      return;
    case PacketType::kOpen:
    case PacketType::kUpgrade:
    case PacketType::kNoop:
      return;  // engine.io ignores them here too
  }
}

void Session::on_upgrade_due() {
  ++server_.counters_.upgrades_timed_out;
  drop_probe();
}

void Session::on_ping_due() {
  pong_due_ = PongDue::kSoon;
  server_.pongs_.start(heartbeat_);
  send_packet(PacketType::kPing, false, {});
}

void Session::close(CloseReason reason) {
  if (state_ == State::kOpen) end(reason, Farewell::kAlways);
}

void Session::on_patience_end() {
  if (state_ == State::kOpen) {
    ++server_.counters_.sessions_silent;
    end(CloseReason::kPingTimeout, Farewell::kIfPolled);
  } else if (state_ != State::kClosed) {
    state_ = State::kClosed;
    server_.retire(*this);
  }
}

void Session::end(CloseReason reason, Farewell farewell) {
  heartbeat_.stop();
  rest_.stop();
  drop_probe();
  state_ = State::kClosed;
  if (post_) server_.loop_.guard([this] { end_post(true); });
  const auto leave = [&] { take_leave(reason, farewell); };
  if (!server_.loop_.guard(leave)) state_ = State::kClosed;
  if (state_ == State::kClosed) server_.retire(*this);
  handler_->on_close(reason);
}

void Session::take_leave(CloseReason reason, Farewell farewell) {
  if (WebSocketTransport* socket = std::exchange(socket_, nullptr)) {
    socket->detach();
    if (reason == CloseReason::kSlowReader) {
      socket->drop();  // waiting for it to read is what we gave up
    } else {
      socket->close();
    }
  } else if (reason == CloseReason::kShutdown) {
    // No close packet: python-socketio takes that for the server's last word and does not come
    // back. That the session is unknown brings every client back.
    if (poll_) {
      std::exchange(poll_, nullptr)->respond(Server::refuse(Server::Refusal::kSession));
    } else if (owes_messages()) {
      state_ = State::kLeaving;
      server_.pongs_.start(heartbeat_);
    }
  } else if (poll_ ? farewell != Farewell::kNone : farewell == Farewell::kAlways) {
    if (poll_) {
      pending_.push_back({PacketType::kClose, false, {}});
      answer_poll();
    } else {
      // The next poll gets what waits, and the one behind it the close packet: the official client
      // takes a close packet before the messages that came in the same payload.
      state_ = State::kClosing;
      server_.pongs_.start(heartbeat_);
    }
  }
}

}  // namespace signalbox::engineio
