// The host's side of the engine: hands events to the handlers of its Program, and carries out its
// commands.
//
// Thread: the loop's; hosts reach it through Engine::submit(). Commands never run inside a handler.
// Owner: the node; it must outlive the sessions of the socketio::Server whose namespaces it
//   handles.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/counters.h"
#include "engine/core/options.h"
#include "engine/host/elsewhere.h"
#include "engine/host/message.h"
#include "engine/host/program.h"
#include "engine/host/tickets.h"
#include "engine/socketio/namespace.h"
#include "engine/socketio/server.h"

namespace signalbox::host {

class HostedNamespace;

class Host {
 public:
  // Keeps references to all of them.
  Host(Loop& loop, const Options& options, Counters& counters, const Program& program,
       socketio::Server& server);
  ~Host();

  // Where events for sockets of other nodes go; must outlive it. Before the first namespace.
  void set_elsewhere(Elsewhere& elsewhere);

  // `application` has the first look at everything that happens in the namespace `name`.
  void set_application(const std::string& name, socketio::NamespaceHandler& application);

  // Declares the namespaces that are new in the program.
  void refresh();

  // Whether a handler may want to see the headers of a request, and of the one that opened a
  // session.
  bool wants_headers() const;
  bool wants_handshakes() const;

  // --- What the floors below and beside ask ---

  // `decide` is called when the host has answered. The result is for withdraw().
  uint64_t ask_to_create(const std::string& room, const net::Request& request, Decide decide);
  uint64_t ask_to_join(const std::string& room, const socketio::Socket& socket, Decide decide);
  // Nobody waits for that answer any more.
  void withdraw(uint64_t question) { tickets_.cancel(question); }

  // Whether a mount whose prefix begins with `place`, and is longer, takes `path`, which begins
  // with `place`.
  bool has_mount_below(std::string_view place, std::string_view path) const;

  // False when no mount takes the request.
  bool on_request(const std::shared_ptr<net::HttpExchange>& exchange);

  // Questions that wait for the host's answer; the second refuses them all, and answers HTTP
  // requests 503.
  size_t waiting() const { return tickets_.waiting(); }
  void give_up() { tickets_.give_up(); }

  // An event that another node's host sends: to a socket, or to a room of a namespace (empty: to
  // all of it).
  void deliver(const std::string& socket, const Message& message);
  void deliver(const std::string& nsp, const std::string& room, const std::string& except,
               const Message& message);

  // --- Commands ---

  // To a socket of whatever node.
  void emit(const std::string& socket, const Message& message);
  void emit_with_ack(const std::string& socket, const Message& message, uint64_t timeout_ms,
                     socketio::AckHandler handler);
  // To a room, or to all of the namespace, on all nodes; `except`: a socket's id or empty.
  void broadcast(const std::string& nsp, const std::optional<std::string>& room,
                 const std::string& except, const Message& message);
  // `ack` is the one of EventNews.
  void answer(const std::string& socket, uint64_t ack, const Message& message);
  void decide(uint64_t ticket, const Decision& decision) { tickets_.decide(ticket, decision); }
  void respond(uint64_t ticket, net::Response response) {
    tickets_.respond(ticket, std::move(response));
  }
  // `close`: the client's whole session.
  void disconnect(const std::string& socket, bool close);
  void join(const std::string& socket, const std::string& room);
  void leave(const std::string& socket, const std::string& room);
  // `socket` may also be one that waits for the host to let it in. `release` is called once,
  // whatever becomes of the data; it may be empty.
  void set_data(const std::string& socket, void* data, std::function<void(void*)> release);

 private:
  template <typename Put>
  uint64_t ask(Decide decide, Put put);
  HostedNamespace& hosted(const std::string& name);
  void* data_of(const socketio::Socket& socket) const;
  const Program::Mounts::value_type* mount_of(std::string_view path) const;  // null: there is none
  // The connected socket of that id; null, and counted as a message that is not sent, without.
  socketio::Socket* receiver(const std::string& id);

  Loop& loop_;
  Counters& counters_;
  const Program& program_;
  socketio::Server& server_;
  Tickets tickets_;
  Elsewhere* elsewhere_ = nullptr;  // null: there are no other nodes
  std::map<std::string, std::unique_ptr<HostedNamespace>, std::less<>> hosted_;
};

}  // namespace signalbox::host
