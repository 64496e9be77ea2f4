#include "engine/socketio/room_index.h"

namespace signalbox::socketio {

void RoomIndex::add(std::string_view room, Socket& socket) {
  auto found = rooms_.find(room);
  if (found == rooms_.end()) found = rooms_.try_emplace(std::string(room)).first;
  try {
    found->second.insert(&socket);
  } catch (...) {
    if (found->second.empty()) rooms_.erase(found);
    throw;
  }
}

void RoomIndex::remove(std::string_view room, Socket& socket) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  found->second.erase(&socket);
  if (found->second.empty()) rooms_.erase(found);
}

std::vector<Socket*> RoomIndex::in(std::string_view room) const {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace signalbox::socketio
