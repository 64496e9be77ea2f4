#include "engine/host/hosted_namespace.h"

#include <algorithm>
#include <utility>

namespace signalbox::host {
namespace {

void give_back(void* data, const std::function<void(void*)>& release) {
  if (release) release(data);
}

}  // namespace

HostedNamespace::~HostedNamespace() {
  for (const auto& [socket, addition] : additions_) give_back(addition.data, addition.release);
}

const NamespaceProgram* HostedNamespace::handlers() const {
  const auto found = program_.namespaces.find(name_);
  return found != program_.namespaces.end() ? &found->second : nullptr;
}

void HostedNamespace::on_connecting(const std::shared_ptr<socketio::Connecting>& connecting,
                                    std::string_view auth) {
  const NamespaceProgram* program = handlers();
  if (program == nullptr || !program->connecting) {
    connecting->accept();
    return;
  }
  const uint64_t ticket = tickets_.ask([connecting](const Decision& decision) {
    if (decision.accepted) {
      connecting->accept();
    } else {
      connecting->refuse(decision.message, decision.data);
    }
  });
  program->connecting({ticket, *connecting, auth});
}

void HostedNamespace::on_connect(socketio::Socket& socket) {
  if (application_ != nullptr) application_->on_connect(socket);
  const NamespaceProgram* program = handlers();
  if (program != nullptr && program->connected) program->connected({socket, {}, nullptr});
}

bool HostedNamespace::on_event(socketio::Socket& socket, const socketio::Event& event,
                               std::span<const std::string> attachments,
                               std::optional<uint64_t> ack) {
  if (application_ != nullptr && application_->on_event(socket, event, attachments, ack)) {
    return true;
  }
  const NamespaceProgram* program = handlers();
  // Hosts see the name as a C string.
  if (program == nullptr || event.name.find('\0') != std::string::npos) return false;
  const auto found = program->events.find(event.name);
  const EventHandler& handler = found != program->events.end() ? found->second : program->any;
  if (!handler) return false;
  // Ids begin at 0, which is to mean none.
  handler({socket, event, attachments, ack ? *ack + 1 : 0, data(socket)});
  return true;
}

void HostedNamespace::on_disconnect(socketio::Socket& socket, std::string_view reason) {
  if (application_ != nullptr) application_->on_disconnect(socket, reason);
  Addition addition;
  if (const auto found = additions_.find(&socket); found != additions_.end()) {
    addition = std::move(found->second);
    additions_.erase(found);
  }
  for (const std::string& room : addition.rooms) rooms_.remove(room, socket);
  const NamespaceProgram* program = handlers();
  if (program != nullptr && program->disconnected) {
    program->disconnected({socket, reason, addition.data});
  }
  give_back(addition.data, addition.release);
}

void HostedNamespace::join(socketio::Socket& socket, const std::string& room) {
  std::vector<std::string>& rooms = additions_[&socket].rooms;
  if (std::find(rooms.begin(), rooms.end(), room) != rooms.end()) return;
  rooms.push_back(room);
  rooms_.add(room, socket);
}

void HostedNamespace::leave(socketio::Socket& socket, const std::string& room) {
  const auto found = additions_.find(&socket);
  if (found == additions_.end()) return;
  std::erase(found->second.rooms, room);
  rooms_.remove(room, socket);
}

void* HostedNamespace::data(const socketio::Socket& socket) const {
  const auto found = additions_.find(&socket);
  return found != additions_.end() ? found->second.data : nullptr;
}

void HostedNamespace::set_data(const socketio::Socket& socket, void* data,
                               std::function<void(void*)> release) {
  Addition& addition = additions_[&socket];
  void* const before = std::exchange(addition.data, data);
  give_back(before, std::exchange(addition.release, std::move(release)));
}

}  // namespace signalbox::host
