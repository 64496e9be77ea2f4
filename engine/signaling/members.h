// Which sockets of this node are in which room. Redis has the truth about rooms; this is the part
// of it that concerns our own sockets, so that a relay needs no look-up elsewhere.
//
// Thread: the loop's.
// Owner: the Application. It keeps a Member with each socket and points to sockets that it does not
//   own: unbind() before a socket goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/socketio/room_index.h"
#include "engine/socketio/socket.h"

namespace signalbox::signaling {

// A join that waits or is under way. Several for one room in a row are done as one and answered as
// many.
struct PendingJoin {
  std::string room;
  size_t times = 1;
};

// What we know of one socket.
struct Member : socketio::SocketData {
  std::string room;  // empty: in none
  // Joins of one socket are done one after the other: the first is under way, the others wait.
  std::vector<PendingJoin> joins;
  // What the host is asked about the first of them; see RoomHooks.
  uint64_t question = 0;
  // A join whose outcome is unknown, because Redis did not answer; to be undone at the end.
  std::string doubtful;
};

class Members {
 public:
  void bind(socketio::Socket& socket, const std::string& room);
  void unbind(socketio::Socket& socket);

  // The sockets of this node in a room.
  std::vector<socketio::Socket*> in(std::string_view room) const { return rooms_.in(room); }

 private:
  socketio::RoomIndex rooms_;
};

// The Member that Application keeps with each of its sockets.
inline Member& member(const socketio::Socket& socket) {
  return *static_cast<Member*>(socket.data());
}

}  // namespace signalbox::signaling
