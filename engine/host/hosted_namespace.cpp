#include "engine/host/hosted_namespace.h"

#include <algorithm>
#include <utility>

namespace signalbox::host {

const NamespaceProgram* HostedNamespace::handlers() const {
  const auto found = program_.namespaces.find(name_);
  return found != program_.namespaces.end() ? &found->second : nullptr;
}

void HostedNamespace::set_elsewhere(Elsewhere& elsewhere) {
  elsewhere_ = &elsewhere;
  elsewhere_->listen(name_, "");
}

void HostedNamespace::on_connecting(const std::shared_ptr<socketio::Connecting>& connecting) {
  if (application_ != nullptr) {
    if (const auto objection = application_->objection(*connecting)) {
      connecting->refuse(*objection);
      return;
    }
  }
  const NamespaceProgram* program = handlers();
  if (program == nullptr || !program->connecting) {
    connecting->accept();
    return;
  }
  const std::string& id = connecting->socket_id();
  waiting_.try_emplace(id);
  const uint64_t ticket = tickets_.ask([this, connecting](const Decision& decision) {
    if (decision.accepted) {
      connecting->accept();
    } else {
      connecting->refuse(decision.message, decision.data);
    }
    waiting_.erase(connecting->socket_id());
  });
  connecting->set_on_withdrawn([this, ticket, id] {
    waiting_.erase(id);
    tickets_.cancel(ticket);
  });
  program->connecting({ticket, *connecting});
}

void HostedNamespace::on_connect(socketio::Socket& socket) {
  if (application_ != nullptr) application_->on_connect(socket);
  void* early = nullptr;
  if (const auto found = waiting_.find(socket.id()); found != waiting_.end()) {
    early = found->second.get();
    if (found->second.set()) additions_[&socket].data = std::move(found->second);
  }
  const NamespaceProgram* program = handlers();
  if (program != nullptr && program->connected) program->connected({socket, {}, early});
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
  Addition addition;
  if (const auto found = additions_.find(&socket); found != additions_.end()) {
    addition = std::move(found->second);
    additions_.erase(found);
  }
  // First what needs no memory: nobody may keep the socket.
  for (const std::string& room : addition.rooms) rooms_.remove(room, socket);
  loop_.guard([&] {
    if (application_ != nullptr) application_->on_disconnect(socket, reason);
  });
  for (const std::string& room : addition.rooms) {
    loop_.guard([&] { ignore_if_empty(room); });
  }
  const NamespaceProgram* program = handlers();
  if (program != nullptr && program->disconnected) {
    program->disconnected({socket, reason, addition.data.get()});
  }
}

void HostedNamespace::join(socketio::Socket& socket, const std::string& room) {
  std::vector<std::string>& rooms = additions_[&socket].rooms;
  if (std::find(rooms.begin(), rooms.end(), room) != rooms.end()) return;
  rooms.push_back(room);
  if (elsewhere_ != nullptr && !rooms_.has(room)) elsewhere_->listen(name_, room);
  rooms_.add(room, socket);
}

void HostedNamespace::leave(socketio::Socket& socket, const std::string& room) {
  const auto found = additions_.find(&socket);
  if (found == additions_.end()) return;
  if (std::erase(found->second.rooms, room) != 0) remove(socket, room);
}

void HostedNamespace::remove(socketio::Socket& socket, const std::string& room) {
  rooms_.remove(room, socket);
  ignore_if_empty(room);
}

void HostedNamespace::ignore_if_empty(const std::string& room) {
  if (elsewhere_ != nullptr && !rooms_.has(room)) elsewhere_->ignore(name_, room);
}

void* HostedNamespace::data(const socketio::Socket& socket) const {
  const auto found = additions_.find(&socket);
  return found != additions_.end() ? found->second.data.get() : nullptr;
}

void HostedNamespace::set_data(const socketio::Socket& socket, void* data,
                               std::function<void(void*)> release) {
  Data before = std::exchange(additions_[&socket].data, Data(data, std::move(release)));
}

bool HostedNamespace::set_early_data(const std::string& id, void* data,
                                     const std::function<void(void*)>& release) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  Data before = std::exchange(found->second, Data(data, release));
  return true;
}

}  // namespace signalbox::host
