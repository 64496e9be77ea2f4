#include "engine/socketio/namespace.h"

namespace signalbox::socketio {

std::vector<Socket*> Namespace::sockets() const {
  std::vector<Socket*> all;
  all.reserve(sockets_.size());
  for (const auto& [id, socket] : sockets_) all.push_back(socket);
  return all;
}

void Namespace::send_to(std::span<Socket* const> sockets, const Socket* except,
                        std::string_view packet, std::span<const std::string> attachments) const {
  // A socket that is disconnected meanwhile lives on until a later turn.
  for (Socket* socket : sockets) {
    if (socket != except && find(socket->id()) == socket) socket->deliver(packet, attachments);
  }
}

}  // namespace signalbox::socketio
