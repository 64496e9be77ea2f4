// A namespace: its name, the sockets connected to it on this node, and who handles their events.
//
// Thread: the loop's.
// Owner: the Server; sockets belong to their clients and are listed here while they are connected.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/socketio/connecting.h"
#include "engine/socketio/packet.h"
#include "engine/socketio/socket.h"

namespace signalbox::socketio {

class NamespaceHandler {
 public:
  virtual ~NamespaceHandler() = default;
  // What stands against letting a client in, for it to read; nothing: nothing does. It may set the
  // data of the socket to be.
  virtual std::optional<std::string> objection(Connecting& /*connecting*/) { return std::nullopt; }
  // A client asks to be let in: answer now, or keep `connecting` and answer later.
  virtual void on_connecting(const std::shared_ptr<Connecting>& connecting) {
    connecting->accept();
  }
  virtual void on_connect(Socket& socket) = 0;
  // All of it is valid during the call only. `ack` is the id to answer with, where one was asked
  // for. False when the event is none of this handler's.
  virtual bool on_event(Socket& socket, const Event& event,
                        std::span<const std::string> attachments, std::optional<uint64_t> ack) = 0;
  // Called once for each on_connect(); `reason` as Socket.IO names it.
  virtual void on_disconnect(Socket& socket, std::string_view reason) = 0;
  // Whether something that the socket has asked for is under way.
  virtual bool busy(const Socket& /*socket*/) const { return false; }
};

class Namespace {
 public:
  Namespace(std::string name, NamespaceHandler& handler)
      : name_(std::move(name)), handler_(handler) {}

  const std::string& name() const { return name_; }
  NamespaceHandler& handler() const { return handler_; }

  // The connected socket of that id, or null.
  Socket* find(std::string_view id) const {
    const auto found = sockets_.find(id);
    return found != sockets_.end() ? found->second : nullptr;
  }

  // All that are connected, in no order.
  std::vector<Socket*> sockets() const;

  // Sends a packet to each of `sockets`, but for `except`. A slow reader may be closed by it, which
  // changes rooms, so that `sockets` must be the caller's own; those that are no longer connected
  // when their turn comes are passed over.
  void send_to(std::span<Socket* const> sockets, const Socket* except, std::string_view packet,
               std::span<const std::string> attachments) const;

 private:
  friend class Client;
  void add(Socket& socket) { sockets_.emplace(socket.id(), &socket); }
  void remove(Socket& socket) { sockets_.erase(socket.id()); }

  std::string name_;
  NamespaceHandler& handler_;
  std::unordered_map<std::string_view, Socket*> sockets_;  // by Socket::id()
};

}  // namespace signalbox::socketio
