#include "engine/host/host.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/host/hosted_namespace.h"

namespace signalbox::host {
namespace {

using socketio::PacketType;
using socketio::Socket;

std::string packet(PacketType type, const Socket& to, std::optional<uint64_t> id,
                   const Message& message) {
  return socketio::encode_packet(type, to.nsp().name(), id, message.payload,
                                 message.attachments.size());
}

}  // namespace

Host::Host(Loop& loop, const Options& options, Counters& counters, const Program& program,
           socketio::Server& server)
    : loop_(loop),
      counters_(counters),
      program_(program),
      server_(server),
      tickets_(loop, counters, static_cast<uint64_t>(options.decision_timeout), program.abandoned) {
  refresh();
}

Host::~Host() = default;

HostedNamespace& Host::hosted(const std::string& name) {
  auto& slot = hosted_[name];
  if (!slot) {
    slot = std::make_unique<HostedNamespace>(loop_, program_, tickets_, name);
    server_.add_namespace(name, *slot);
    if (elsewhere_ != nullptr) slot->set_elsewhere(*elsewhere_);
  }
  return *slot;
}

void Host::set_elsewhere(Elsewhere& elsewhere) {
  elsewhere_ = &elsewhere;
  for (const auto& [name, nsp] : hosted_) nsp->set_elsewhere(elsewhere);
}

void Host::set_application(const std::string& name, socketio::NamespaceHandler& application) {
  hosted(name).set_application(application);
}

void Host::refresh() {
  for (const auto& [name, program] : program_.namespaces) hosted(name);
}

bool Host::wants_headers() const {
  return !program_.mounts.empty() || program_.creating || wants_handshakes();
}

bool Host::wants_handshakes() const {
  return std::any_of(program_.namespaces.begin(), program_.namespaces.end(),
                     [](const auto& each) { return each.second.connecting != nullptr; });
}

// A question that could not be put, for want of memory, is none.
template <typename Put>
uint64_t Host::ask(Decide decide, Put put) {
  const uint64_t ticket = tickets_.ask(std::move(decide));
  try {
    put(ticket);
  } catch (...) {
    tickets_.cancel(ticket);
    throw;
  }
  return ticket;
}

uint64_t Host::ask_to_create(const std::string& room, const net::Request& request, Decide decide) {
  return ask(std::move(decide), [&](uint64_t ticket) {
    program_.creating({ticket, room, nullptr, &request, request.client, nullptr});
  });
}

uint64_t Host::ask_to_join(const std::string& room, const Socket& socket, Decide decide) {
  return ask(std::move(decide), [&](uint64_t ticket) {
    program_.joining({ticket, room, &socket, nullptr, socket.address(), data_of(socket)});
  });
}

const Program::Mounts::value_type* Host::mount_of(std::string_view path) const {
  // The longest prefix is the last in order that is one.
  for (auto mount = program_.mounts.rbegin(); mount != program_.mounts.rend(); ++mount) {
    const std::string& prefix = mount->first;
    const bool below = path.starts_with(prefix) && (path.size() == prefix.size() || prefix == "/" ||
                                                    path[prefix.size()] == '/');
    if (below) return &*mount;
  }
  return nullptr;
}

bool Host::has_mount_below(std::string_view place, std::string_view path) const {
  const auto* mount = mount_of(path);
  return mount != nullptr && mount->first.size() > place.size();
}

bool Host::on_request(const std::shared_ptr<net::HttpExchange>& exchange) {
  const net::Request& request = exchange->request();
  const auto* mount = mount_of(request.path);
  if (mount == nullptr) return false;
  const uint64_t ticket = tickets_.ask(exchange);
  mount->second({ticket, request});
  return true;
}

void* Host::data_of(const Socket& socket) const {
  const auto found = hosted_.find(socket.nsp().name());
  return found != hosted_.end() ? found->second->data(socket) : nullptr;
}

Socket* Host::receiver(const std::string& id) {
  Socket* socket = server_.find_socket(id);
  if (socket == nullptr) ++counters_.messages_dropped_no_socket;
  return socket;
}

void Host::emit(const std::string& id, const Message& message) {
  if (server_.find_socket(id) == nullptr && elsewhere_ != nullptr && elsewhere_->may_have(id)) {
    elsewhere_->emit(id, message);
  } else {
    deliver(id, message);
  }
}

void Host::deliver(const std::string& id, const Message& message) {
  if (Socket* socket = receiver(id)) {
    socket->send(packet(PacketType::kEvent, *socket, std::nullopt, message), message.attachments);
  }
}

void Host::emit_with_ack(const std::string& id, const Message& message, uint64_t timeout_ms,
                         socketio::AckHandler handler) {
  Socket* socket = receiver(id);
  if (socket == nullptr) {
    handler({.kind = socketio::AckOutcome::Kind::kGone});
    return;
  }
  const uint64_t ack = server_.acks().add(*socket, timeout_ms, std::move(handler));
  socket->send(packet(PacketType::kEvent, *socket, ack, message), message.attachments);
}

void Host::broadcast(const std::string& name, const std::optional<std::string>& room,
                     const std::string& except, const Message& message) {
  const std::string to_room = room.value_or("");
  deliver(name, to_room, except, message);
  if (elsewhere_ != nullptr) elsewhere_->broadcast(name, to_room, except, message);
}

void Host::deliver(const std::string& name, const std::string& room, const std::string& except,
                   const Message& message) {
  const auto found = hosted_.find(name);
  if (found == hosted_.end()) return;
  const socketio::Namespace* nsp = server_.find(name);  // declared with it, see hosted()
  const std::vector<Socket*> sockets = room.empty() ? nsp->sockets() : found->second->in(room);
  nsp->send_to(sockets, except.empty() ? nullptr : nsp->find(except),
               socketio::encode_packet(PacketType::kEvent, name, std::nullopt, message.payload,
                                       message.attachments.size()),
               message.attachments);
}

void Host::answer(const std::string& id, uint64_t ack, const Message& message) {
  if (Socket* socket = receiver(id)) {
    socket->send(packet(PacketType::kAck, *socket, ack - 1, message), message.attachments);
  }
}

void Host::disconnect(const std::string& id, bool close) {
  Socket* socket = server_.find_socket(id);
  if (socket == nullptr) return;
  if (close) {
    socket->end_session();
  } else {
    socket->disconnect();
  }
}

void Host::join(const std::string& id, const std::string& room) {
  if (Socket* socket = server_.find_socket(id)) hosted(socket->nsp().name()).join(*socket, room);
}

void Host::leave(const std::string& id, const std::string& room) {
  if (Socket* socket = server_.find_socket(id)) hosted(socket->nsp().name()).leave(*socket, room);
}

void Host::set_data(const std::string& id, void* data, std::function<void(void*)> release) {
  if (Socket* socket = server_.find_socket(id)) {
    hosted(socket->nsp().name()).set_data(*socket, data, std::move(release));
    return;
  }
  for (const auto& [name, nsp] : hosted_) {
    if (nsp->set_early_data(id, data, release)) return;
  }
  if (release) release(data);
}

}  // namespace signalbox::host
