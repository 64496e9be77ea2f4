// What a host has registered: its handlers for namespaces, events, room decisions and HTTP paths,
// and what they are handed.
//
// Thread: the host's before the engine serves, then the loop's.
// Owner: the engine. What handlers are handed is valid during the call only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "engine/net/http.h"
#include "engine/socketio/acks.h"
#include "engine/socketio/namespace.h"
#include "engine/socketio/packet.h"
#include "engine/socketio/socket.h"

namespace signalbox::host {

// A client wants to connect; see Host::decide().
struct ConnectRequest {
  uint64_t ticket;
  const socketio::Connecting& connecting;
};

// A socket has connected, or disconnected for a reason.
struct SocketNews {
  const socketio::Socket& socket;
  std::string_view reason;
  void* data;  // what the host has attached to the socket
};

struct EventNews {
  const socketio::Socket& socket;
  const socketio::Event& event;
  std::span<const std::string> attachments;
  uint64_t ack;  // 0: none asked for; else see Host::answer()
  void* data;
};

// A room is to be created (without a socket) or entered; see Host::decide().
struct RoomRequest {
  uint64_t ticket;
  const std::string& room;
  const socketio::Socket* socket;  // null when it is to be created
  const net::Request* http;        // null when it is to be entered
  const net::Address& client;
  void* data;
};

// See Host::respond().
struct HttpNews {
  uint64_t ticket;
  const net::Request& request;
};

using EventHandler = std::function<void(const EventNews& news)>;
using HttpHandler = std::function<void(const HttpNews& news)>;

// Each member may be empty.
struct NamespaceProgram {
  std::function<void(const ConnectRequest& request)> connecting;
  std::function<void(const SocketNews& news)> connected;
  std::function<void(const SocketNews& news)> disconnected;
  EventHandler any;  // events that have no handler of their own
  std::map<std::string, EventHandler, std::less<>> events;
};

struct Program {
  using Mounts = std::map<std::string, HttpHandler, std::less<>>;  // by prefix

  std::map<std::string, NamespaceProgram, std::less<>> namespaces;
  Mounts mounts;
  std::function<void(const RoomRequest& request)> creating;
  std::function<void(const RoomRequest& request)> joining;
  // A ticket has become void: its client has gone, or the time is up.
  std::function<void(uint64_t ticket)> abandoned;
};

}  // namespace signalbox::host
