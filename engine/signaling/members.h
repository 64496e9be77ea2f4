// Who is in the rooms that concern this node: its own sockets, and, of rooms that have any, the ids
// of the sockets of other nodes.
//
// Thread: the loop's.
// Owner: the Service. It keeps a Member with each socket and points to sockets that it does not
//   own: unbind() before a socket goes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/counters.h"
#include "engine/signaling/elsewhere.h"
#include "engine/signaling/tokens.h"
#include "engine/socketio/namespace.h"
#include "engine/socketio/room_index.h"
#include "engine/socketio/socket.h"

namespace signalbox::signaling {

// A join that waits or is under way. Several for one room in a row are done as one and answered as
// many.
struct PendingJoin {
  std::string room;
  std::string secret;
  size_t times = 1;
  Histogram::Clock::time_point since = Histogram::Clock::now();  // the first of them
};

// What we know of one socket.
struct Member : socketio::SocketData {
  std::string room;        // empty: in none
  uint64_t joined_at = 0;  // that room, last: µs of Redis's clock
  // Joins of one socket are done one after the other: the first is under way, the others wait.
  std::vector<PendingJoin> joins;
  // What the host is asked about the first of them; see RoomHooks.
  uint64_t question = 0;
  // A join whose outcome is unknown, because Redis did not answer; to be undone at the end.
  std::string doubtful;
  // What the client's token says, if it has one.
  std::optional<Claims> claims;
};

class Members {
 public:
  explicit Members(Counters& counters) : counters_(counters) {}

  // The namespace whose sockets it keeps; before the first of them.
  void set_namespace(socketio::Namespace& nsp) { nsp_ = &nsp; }
  socketio::Namespace& nsp() const { return *nsp_; }

  void bind(socketio::Socket& socket, const std::string& room);
  // The room that it was in, or empty. Needs no memory.
  std::string unbind(socketio::Socket& socket);

  // The sockets of this node in a room, in no order.
  std::vector<socketio::Socket*> in(std::string_view room) const { return rooms_.in(room); }

  // Sends a packet to the sockets of this node in a room, but for `except` (null: but for none).
  void send(std::string_view room, std::string_view packet, const socketio::Socket* except,
            std::span<const std::string> attachments = {}) const;

  // The same for the one event that tells of a socket, wherever that is.
  void send_ready(std::string_view room, std::string_view socket,
                  const socketio::Socket* except) const;
  void send_disconnected(std::string_view room, std::string_view socket) const;

  Elsewhere& elsewhere() { return elsewhere_; }

 private:
  Counters& counters_;
  socketio::Namespace* nsp_ = nullptr;
  socketio::RoomIndex rooms_;
  Elsewhere elsewhere_;
};

// The Member that Application keeps with each of its sockets.
inline Member& member(const socketio::Socket& socket) {
  return *static_cast<Member*>(socket.data());
}

}  // namespace signalbox::signaling
