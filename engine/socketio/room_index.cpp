#include "engine/socketio/room_index.h"

#include <algorithm>

namespace signalbox::socketio {

void RoomIndex::add(std::string_view room, Socket& socket) {
  const auto found = rooms_.find(room);
  (found != rooms_.end() ? found->second : rooms_[std::string(room)]).push_back(&socket);
}

void RoomIndex::remove(std::string_view room, const Socket& socket) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  auto& sockets = found->second;
  sockets.erase(std::remove(sockets.begin(), sockets.end(), &socket), sockets.end());
  if (sockets.empty()) rooms_.erase(found);
}

std::span<Socket* const> RoomIndex::in(std::string_view room) const {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return {};
  return found->second;
}

}  // namespace signalbox::socketio
