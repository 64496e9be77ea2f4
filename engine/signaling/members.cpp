#include "engine/signaling/members.h"

namespace signalbox::signaling {

void Members::bind(socketio::Socket& socket, const std::string& room) {
  Member& bound = member(socket);
  if (bound.room == room) return;
  unbind(socket);
  bound.room = room;
  rooms_.add(room, socket);
}

void Members::unbind(socketio::Socket& socket) {
  Member& bound = member(socket);
  rooms_.remove(bound.room, socket);
  bound.room.clear();
}

}  // namespace signalbox::signaling
