// The joins of sockets: one after the other for each socket, asked of the host first and of Redis
// then, and answered.
//
// Thread: the loop's.
// Owner: the Service.
#pragma once

#include <string>

#include "engine/core/counters.h"
#include "engine/signaling/held_news.h"
#include "engine/signaling/members.h"
#include "engine/signaling/neighbours.h"
#include "engine/signaling/room_hooks.h"
#include "engine/socketio/socket.h"
#include "engine/store/rooms.h"

namespace signalbox::signaling {

class Joins {
 public:
  // Keeps references to all of them.
  Joins(Counters& counters, const RoomHooks& hooks, Members& members, Neighbours& neighbours);

  // A socket wants to join a room of a valid name, with a secret or an empty one. It is answered,
  // now or later.
  void request(socketio::Socket& socket, std::string room, std::string secret);
  // Answers a join that cannot be.
  void refuse(socketio::Socket& socket, const std::string& room, const std::string& message);

  // A socket goes, which was in `room` (or in none): what it has begun is undone.
  void cancel(socketio::Socket& socket, const std::string& room);

  // Takes a socket out of a room in Redis.
  void leave(const std::string& room, const std::string& socket_id);

 private:
  // Begins with the first join that waits.
  void start(socketio::Socket& socket);
  void send(const store::JoinRequest& request, uint64_t question);
  void ask_redis(socketio::Socket& socket);
  void finish(const std::string& socket_id, const std::string& room, const store::JoinReply& reply);
  // `again`: not the first answer to this reply.
  void answer(socketio::Socket& socket, const std::string& room, const store::JoinReply& reply,
              bool again);
  void accept(socketio::Socket& socket, const std::string& room, bool rejoined);
  void fail(socketio::Socket& socket, const std::string& room, const std::string& error);
  bool is_connected(const std::string& id) const;

  Counters& counters_;
  const RoomHooks& hooks_;
  Members& members_;
  Neighbours& neighbours_;
  store::Rooms& rooms_;
  HeldNews& held_news_;
};

}  // namespace signalbox::signaling
