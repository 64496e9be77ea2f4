#include "engine/socketio/server.h"

#include <utility>

#include "engine/core/id.h"
#include "engine/socketio/client.h"

namespace signalbox::socketio {

Server::Server(Loop& loop, Log& log, const Options& options, Counters& counters,
               std::string node_id)
    : loop_(loop),
      log_(log),
      options_(options),
      counters_(counters),
      node_id_(std::move(node_id)),
      acks_(loop),
      connects_(loop, static_cast<uint64_t>(options.socketio_connect_timeout),
                [](void* client) { static_cast<Client*>(client)->on_connect_timeout(); }) {}

Server::~Server() = default;

Namespace& Server::add_namespace(std::string name, NamespaceHandler& handler) {
  auto owned = std::make_unique<Namespace>(std::move(name), handler);
  Namespace& nsp = *owned;
  namespaces_.emplace(nsp.name(), std::move(owned));
  return nsp;
}

std::unique_ptr<engineio::SessionHandler> Server::accept(engineio::Session& session) {
  return std::make_unique<Client>(*this, session);
}

Namespace* Server::find(std::string_view name) const {
  const auto found = namespaces_.find(name);
  return found != namespaces_.end() ? found->second.get() : nullptr;
}

Socket* Server::find_socket(std::string_view id) const {
  // Hosts declare a handful of namespaces.
  for (const auto& [name, nsp] : namespaces_) {
    if (Socket* socket = nsp->find(id)) return socket;
  }
  return nullptr;
}

std::string Server::new_socket_id() const {
  return node_id_ + random_id(kSocketIdLength - node_id_.size());
}

}  // namespace signalbox::socketio
