#include "engine/socketio/client.h"

#include <algorithm>
#include <utility>

#include "engine/core/json.h"
#include "engine/socketio/server.h"

namespace signalbox::socketio {

namespace {

std::string_view auth_of(const Packet& connect) {
  return connect.payload.present() ? connect.payload.text : "{}";
}

}  // namespace

const net::Address& Socket::address() const {
  return client_.session_.client();
}

void Socket::send(std::string_view packet, std::span<const std::string> attachments) {
  client_.session_.send(packet, false);
  for (const std::string& attachment : attachments) client_.session_.send(attachment, true);
}

void Socket::deliver(std::string_view packet, std::span<const std::string> attachments) {
  if (!client_.server_.loop_.guard([&] { send(packet, attachments); })) drop_session();
}

void Socket::drop_session() {
  client_.session_.close(engineio::CloseReason::kForced);
}

void Socket::disconnect() {
  if (nsp_.find(id_) != this) return;
  send(encode_packet(PacketType::kDisconnect, nsp_.name(), std::nullopt, {}));
  client_.disconnect(*this, "server namespace disconnect");
}

void Socket::end_session() {
  if (nsp_.find(id_) != this) return;
  Client& client = client_;
  // Disconnecting one may end the session, and with it the others.
  while (!client.sockets_.empty()) client.sockets_.front()->disconnect();
  client.session_.close(engineio::CloseReason::kForced);
}

void Connecting::accept() {
  if (Client* client = std::exchange(client_, nullptr)) client->admit(*this);
}

void Connecting::refuse(std::string_view message, std::string_view data) {
  Client* client = std::exchange(client_, nullptr);
  if (client == nullptr) return;
  std::string error = R"({"message":)";
  json::append_string(error, message);
  if (!data.empty()) {
    error += R"(,"data":)";
    error += data;
  }
  error += '}';
  client->refuse(*this, error);
}

Client::Client(Server& server, engineio::Session& session)
    : server_(server), session_(session), connect_(this) {
  server_.connects_.start(connect_);
}

// on_close() has taken everything apart, unless memory ran out in the middle of it.
Client::~Client() {
  while (!connecting_.empty()) withdraw(connecting_.back()->nsp().name());
  for (const auto& socket : sockets_) {
    socket->nsp().remove(*socket);
    server_.acks_.forget(*socket);
  }
}

void Client::on_message(std::string_view data, bool binary) {
  retired_.clear();
  if (binary) {
    on_attachment(data);
  } else {
    on_text(data);
  }
}

void Client::on_text(std::string_view text) {
  const auto packet =
      assembly_
          ? std::nullopt  // a text where attachments are due
          : decode_packet(text, static_cast<size_t>(server_.options_.socketio_max_attachments));
  if (!packet) {
    reject();
    return;
  }
  if (packet->attachments == 0) {
    on_packet(*packet, {});
    return;
  }
  if (!placeholders_valid(packet->payload.text, packet->attachments)) {
    reject();
    return;
  }
  assembly_ = std::make_unique<Assembly>(Assembly{std::string(text), packet->attachments, 0, {}});
  if (!session_.keep(text.size())) reject();
}

void Client::on_attachment(std::string_view data) {
  if (!assembly_) {
    reject();
    return;
  }
  assembly_->bytes += data.size();
  if (assembly_->bytes > static_cast<size_t>(server_.options_.engineio_max_payload)) {
    reject();
    return;
  }
  assembly_->attachments.emplace_back(data);
  if (assembly_->attachments.size() < assembly_->expected) {
    if (!session_.keep(assembly_->text.size() + assembly_->bytes)) reject();
    return;
  }
  const std::unique_ptr<Assembly> whole = std::move(assembly_);
  session_.keep(0);
  const auto packet = decode_packet(whole->text, whole->expected);
  if (packet) on_packet(*packet, whole->attachments);
}

void Client::on_packet(const Packet& packet, std::span<const std::string> attachments) {
  Socket* socket = find(packet.nsp);
  if (packet.type == PacketType::kDisconnect && withdraw(packet.nsp)) return;
  if (packet.type == PacketType::kConnect) {
    if (is_connecting(packet)) return;
    withdraw(packet.nsp);  // it asks with another auth: that counts
  }
  // As socket.io does: a packet of a namespace that is not connected, or a second CONNECT, ends it
  // all.
  if ((packet.type == PacketType::kConnect) == (socket != nullptr)) {
    reject();
    return;
  }
  switch (packet.type) {
    case PacketType::kConnect:
      connect(packet);
      return;
    case PacketType::kDisconnect:
      disconnect(*socket, "client namespace disconnect");
      return;
    case PacketType::kEvent:
    case PacketType::kBinaryEvent:
      if (packet.event) {
        if (!socket->nsp().handler().on_event(*socket, *packet.event, attachments, packet.id)) {
          ++server_.counters_.events_unhandled;
        }
      } else {
        ++server_.counters_.events_dropped_invalid;
      }
      return;
    case PacketType::kAck:
    case PacketType::kBinaryAck:
      on_ack(*socket, packet, attachments);
      return;
    case PacketType::kConnectError:
      reject();  // only a server sends it
      return;
  }
}

void Client::connect(const Packet& packet) {
  Namespace* nsp = server_.find(packet.nsp);
  if (nsp == nullptr) {
    session_.send(encode_packet(PacketType::kConnectError, packet.nsp, std::nullopt,
                                R"({"message":"Invalid namespace"})"),
                  false);
    return;
  }
  const auto connecting = std::make_shared<Connecting>(
      *this, session_, *nsp, server_.new_socket_id(), std::string(auth_of(packet)));
  connecting_.push_back(connecting);
  nsp->handler().on_connecting(connecting);
}

// Clients that connect to a further namespace may ask twice before they have our answer.
bool Client::is_connecting(const Packet& packet) const {
  const Socket* socket = find(packet.nsp);
  if (socket != nullptr) return socket->connected_turn() == server_.turn();
  return std::any_of(connecting_.begin(), connecting_.end(), [&](const auto& each) {
    return each->nsp().name() == packet.nsp && each->auth() == auth_of(packet);
  });
}

bool Client::withdraw(std::string_view nsp) {
  const auto found = std::find_if(connecting_.begin(), connecting_.end(),
                                  [&](const auto& each) { return each->nsp().name() == nsp; });
  if (found == connecting_.end()) return false;
  const std::shared_ptr<Connecting> connecting = std::move(*found);
  connecting_.erase(found);
  const bool unanswered = std::exchange(connecting->client_, nullptr) != nullptr;
  const auto on_withdrawn = std::exchange(connecting->on_withdrawn_, nullptr);
  if (unanswered && on_withdrawn) on_withdrawn();
  return true;
}

void Client::admit(Connecting& connecting) {
  Namespace& nsp = connecting.nsp();
  auto owned = std::make_unique<Socket>(*this, nsp, connecting.socket_id(), server_.turn());
  withdraw(nsp.name());
  Socket& socket = *owned;
  socket.set_data(std::move(connecting.data_));
  std::string payload = R"({"sid":")";
  payload += socket.id();
  payload += "\"}";
  socket.send(encode_packet(PacketType::kConnect, nsp.name(), std::nullopt, payload));
  if (!session_.open()) return;  // a slow reader, closed by this
  sockets_.reserve(sockets_.size() + 1);
  retired_.reserve(retired_.size() + sockets_.size() + 1);  // disconnect() must not fail
  nsp.add(socket);
  sockets_.push_back(std::move(owned));
  connect_.stop();
  if (server_.log_.enabled(LogLevel::kDebug)) {
    server_.loop_.guard([&] {
      server_.log_.debug("socket connected", {{"socket", socket.id()},
                                              {"namespace", nsp.name()},
                                              {"client", session_.client().to_string()}});
    });
  }
  try {
    nsp.handler().on_connect(socket);
  } catch (...) {  // out of memory: the handler does not know the socket
    nsp.remove(socket);
    std::erase_if(sockets_, [&](const auto& each) { return each.get() == &socket; });
    session_.close(engineio::CloseReason::kForced);
    throw;
  }
}

void Client::refuse(const Connecting& connecting, std::string_view error) {
  const std::string& nsp = connecting.nsp().name();
  withdraw(nsp);
  session_.send(encode_packet(PacketType::kConnectError, nsp, std::nullopt, error), false);
}

void Client::on_ack(const Socket& socket, const Packet& packet,
                    std::span<const std::string> attachments) {
  const AckOutcome answer = {.kind = AckOutcome::Kind::kAnswered,
                             .arguments = packet.payload.present() ? packet.payload.text : "[]",
                             .attachments = attachments};
  if (!packet.id || !server_.acks_.answer(socket, *packet.id, answer)) {
    ++server_.counters_.acks_unexpected;
  }
}

void Client::disconnect(Socket& socket, std::string_view reason) {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const auto& owned) { return owned.get() == &socket; });
  if (found == sockets_.end()) return;
  retired_.push_back(std::move(*found));
  sockets_.erase(found);
  socket.nsp().remove(socket);
  // Each of these has to be told, whatever becomes of the others.
  server_.loop_.guard([&] {
    server_.log_.debug("socket disconnected", {{"socket", socket.id()}, {"reason", reason}});
  });
  server_.loop_.guard([&] { server_.acks_.drop(socket); });
  server_.loop_.guard([&] { socket.nsp().handler().on_disconnect(socket, reason); });
}

void Client::on_close(engineio::CloseReason reason) {
  connect_.stop();
  assembly_.reset();
  while (!connecting_.empty()) {
    server_.loop_.guard([this] { withdraw(connecting_.back()->nsp().name()); });
  }
  while (!sockets_.empty()) disconnect(*sockets_.front(), engineio::reason_text(reason));
}

bool Client::busy() const {
  return assembly_ || !connecting_.empty() ||
         std::any_of(sockets_.begin(), sockets_.end(),
                     [](const auto& socket) { return socket->nsp().handler().busy(*socket); });
}

void Client::on_connect_timeout() {
  ++server_.counters_.sessions_idle;
  session_.close(engineio::CloseReason::kForced);
}

Socket* Client::find(std::string_view nsp) const {
  for (const auto& socket : sockets_) {
    if (socket->nsp().name() == nsp) return socket.get();
  }
  return nullptr;
}

void Client::reject() {
  ++server_.counters_.packets_invalid;
  session_.close(engineio::CloseReason::kParseError);
}

}  // namespace signalbox::socketio
