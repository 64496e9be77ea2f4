// One client's membership of one namespace, with its public id.
//
// Thread: the loop's.
// Owner: its Client. A Socket lives until the client's next message (or end) after on_disconnect().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/net/client_address.h"

namespace signalbox::socketio {

class Client;
class Namespace;

// What the floor above keeps with a socket.
class SocketData {
 public:
  virtual ~SocketData() = default;
};

class Socket {
 public:
  Socket(Client& client, Namespace& nsp, std::string id, uint64_t connected_turn)
      : client_(client), nsp_(nsp), id_(std::move(id)), connected_turn_(connected_turn) {}

  // Public: the room may know it. Its first four characters name the node.
  const std::string& id() const { return id_; }
  Namespace& nsp() const { return nsp_; }
  const net::Address& address() const;

  // Sends a whole packet, attachments behind it; one text can serve many sockets. See EventText.
  void send(std::string_view packet, std::span<const std::string> attachments = {});

  // The same, as one of many that are sent to: should memory be wanting it costs this client its
  // session, and the caller nothing.
  void deliver(std::string_view packet, std::span<const std::string> attachments = {});

  // Takes the socket out of its namespace; the client is told and its session lives on.
  void disconnect();

  // Disconnects every socket of this client and ends its session.
  void end_session();

  // Ends the session without telling the client why.
  void drop_session();

  // The turn of the loop in which it connected.
  uint64_t connected_turn() const { return connected_turn_; }

  void set_data(std::unique_ptr<SocketData> data) { data_ = std::move(data); }
  SocketData* data() const { return data_.get(); }

 private:
  Client& client_;
  Namespace& nsp_;
  std::string id_;
  const uint64_t connected_turn_;
  std::unique_ptr<SocketData> data_;
};

}  // namespace signalbox::socketio
