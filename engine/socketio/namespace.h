// A namespace: its name, the sockets connected to it on this node, and who handles their events.
//
// Thread: the loop's.
// Owner: the Server; sockets belong to their clients and are listed here while they are connected.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/socketio/packet.h"
#include "engine/socketio/socket.h"

namespace signalbox::socketio {

class NamespaceHandler {
 public:
  virtual ~NamespaceHandler() = default;
  virtual void on_connect(Socket& socket) = 0;
  // All of it is valid during the call only. `ack` is the id to answer with, where one was asked
  // for.
  virtual void on_event(Socket& socket, const Event& event,
                        std::span<const std::string> attachments, std::optional<uint64_t> ack) = 0;
  // Called once for each on_connect(); `reason` as Socket.IO names it.
  virtual void on_disconnect(Socket& socket, std::string_view reason) = 0;
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

 private:
  friend class Client;
  void add(Socket& socket) { sockets_.emplace(socket.id(), &socket); }
  void remove(Socket& socket) { sockets_.erase(socket.id()); }

  std::string name_;
  NamespaceHandler& handler_;
  std::unordered_map<std::string_view, Socket*> sockets_;  // by Socket::id()
};

}  // namespace signalbox::socketio
