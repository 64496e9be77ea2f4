#include "engine/signaling/members.h"

#include <algorithm>

namespace signalbox::signaling {

void Members::bind(socketio::Socket& socket, const std::string& room) {
  Member& bound = member(socket);
  if (bound.room == room) return;
  unbind(socket);
  bound.room = room;
  rooms_[room].push_back(&socket);
}

void Members::unbind(socketio::Socket& socket) {
  Member& bound = member(socket);
  const auto found = rooms_.find(bound.room);
  bound.room.clear();
  if (found == rooms_.end()) return;
  auto& sockets = found->second;
  sockets.erase(std::remove(sockets.begin(), sockets.end(), &socket), sockets.end());
  if (sockets.empty()) rooms_.erase(found);
}

std::span<socketio::Socket* const> Members::in(std::string_view room) const {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return {};
  return found->second;
}

}  // namespace signalbox::signaling
