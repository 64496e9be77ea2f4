// Socket.IO 5 on Engine.IO sessions: the namespaces and what all clients share.
// https://github.com/socketio/socket.io-protocol (revision 5); where it is silent socket.io 4.8 is
// the reference.
//
// Thread: the loop's.
// Owner: the engine; it must outlive the engineio::Server whose sessions it handles.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/core/counters.h"
#include "engine/core/deadline_queue.h"
#include "engine/core/log.h"
#include "engine/core/options.h"
#include "engine/engineio/session.h"
#include "engine/socketio/acks.h"
#include "engine/socketio/namespace.h"

namespace signalbox::socketio {

// The node's four characters, and 96 random bits.
inline constexpr size_t kSocketIdLength = 20;

class Server {
 public:
  // `node_id`: the four characters that begin every socket id of this node.
  Server(Loop& loop, Log& log, const Options& options, Counters& counters, std::string node_id);
  ~Server();

  // Sockets that connect from now on have ids that begin with `id`.
  void set_node_id(std::string id) { node_id_ = std::move(id); }

  // Declares a namespace that is not there yet; clients that ask for others are refused. The
  // handler must outlive the server.
  Namespace& add_namespace(std::string name, NamespaceHandler& handler);

  // The namespace of that name, or null.
  Namespace* find(std::string_view name) const;

  // The connected socket of that id, in whatever namespace, or null.
  Socket* find_socket(std::string_view id) const;

  // Where events that ask for an acknowledgement are to be registered.
  Acks& acks() { return acks_; }

  // The handler of a new session.
  std::unique_ptr<engineio::SessionHandler> accept(engineio::Session& session);

 private:
  friend class Client;
  friend class Socket;
  std::string new_socket_id() const;
  uint64_t turn() const { return loop_.turns(); }

  Loop& loop_;
  Log& log_;
  const Options& options_;
  Counters& counters_;
  std::string node_id_;
  std::unordered_map<std::string_view, std::unique_ptr<Namespace>> namespaces_;  // by name()
  Acks acks_;
  DeadlineQueue connects_;  // connect_timeout: time by which a session must have joined a namespace
};

}  // namespace signalbox::socketio
