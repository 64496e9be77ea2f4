#include "engine/signaling/joins.h"

#include <utility>

#include "engine/core/json.h"
#include "engine/signaling/room_packets.h"
#include "engine/socketio/event_text.h"

namespace signalbox::signaling {
namespace {

using socketio::EventText;
using socketio::Socket;

// Joins of one socket that may wait for one under way; a client that sends more at once is no
// client.
constexpr size_t kMaxWaitingJoins = 16;

constexpr const char* kBoundElsewhere = "Socket is already bound to another room";

PendingJoin take_join(Member& member) {
  PendingJoin join = std::move(member.joins.front());
  member.joins.erase(member.joins.begin());
  return join;
}

}  // namespace

Joins::Joins(Counters& counters, const RoomHooks& hooks, Members& members, Neighbours& neighbours)
    : counters_(counters),
      hooks_(hooks),
      members_(members),
      neighbours_(neighbours),
      rooms_(neighbours.rooms()),
      held_news_(neighbours.held_news()) {}

bool Joins::is_connected(const std::string& id) const {
  return members_.nsp().find(id) != nullptr;
}

void Joins::request(Socket& socket, std::string room, std::string secret) {
  Member& self = member(socket);
  if (!self.joins.empty() && self.joins.back().room == room && self.joins.back().secret == secret) {
    ++self.joins.back().times;
    return;
  }
  if (self.joins.size() > kMaxWaitingJoins) {
    refuse(socket, room, "Too many joins at once");
    return;
  }
  self.joins.push_back({std::move(room), std::move(secret)});
  if (self.joins.size() == 1) start(socket);
}

void Joins::start(Socket& socket) {
  Member& self = member(socket);
  while (!self.joins.empty() && !self.room.empty() && self.joins.front().room != self.room) {
    const PendingJoin join = take_join(self);
    for (size_t i = 0; i < join.times; ++i) refuse(socket, join.room, kBoundElsewhere);
  }
  if (self.joins.empty()) return;
  // Who is in the room already has been let in.
  if (!hooks_.joining || !self.room.empty()) {
    ask_redis(socket);
    return;
  }
  const auto decide = [this, &socket](const Verdict& refusal) {
    member(socket).question = 0;
    if (!refusal) {
      ask_redis(socket);
      return;
    }
    const PendingJoin join = take_join(member(socket));
    for (size_t i = 0; i < join.times; ++i) refuse(socket, join.room, *refusal);
    if (members_.nsp().find(socket.id()) == &socket) start(socket);
  };
  // Withdrawn when the socket goes.
  self.question = hooks_.joining(self.joins.front().room, socket, decide);
}

void Joins::ask_redis(Socket& socket) {
  Member& self = member(socket);
  store::JoinRequest request;
  request.room = self.joins.front().room;
  request.socket = socket.id();
  request.secret = self.joins.front().secret;
  if (!self.doubtful.empty() && self.doubtful != request.room) {
    leave(self.doubtful, request.socket);
    self.doubtful.clear();
  }
  request.again = self.room == request.room || self.doubtful == request.room;
  request.who = socket.address().limit_key();
  const uint64_t question = held_news_.expect(request.room);
  try {
    send(request, question);
  } catch (...) {  // it was not asked, and nobody may wait for the answer
    held_news_.arrived(request.room, question);
    throw;
  }
}

void Joins::send(const store::JoinRequest& request, uint64_t question) {
  rooms_.join(request, [this, question, id = request.socket,
                        room = request.room](const store::JoinReply& reply) {
    try {
      finish(id, room, reply);
    } catch (...) {  // memory has run out: nobody must wait for ever
      held_news_.arrived(room, question);
      if (Socket* socket = members_.nsp().find(id)) socket->drop_session();
      neighbours_.check();  // Redis may have let in who is not known here to be in
      throw;
    }
    held_news_.arrived(room, question);
  });
}

void Joins::finish(const std::string& socket_id, const std::string& room,
                   const store::JoinReply& reply) {
  Socket* socket = members_.nsp().find(socket_id);
  if (socket == nullptr) {
    // It has gone meanwhile. cancel() has undone the join, unless the script had to be sent again,
    // because Redis did not know it, and so came behind that.
    if (reply.result == store::JoinReply::Result::kJoined) leave(room, socket_id);
    return;
  }
  const PendingJoin join = take_join(member(*socket));
  counters_.join_duration.add_since(join.since);
  // What we send may end a client that reads too slowly.
  for (size_t i = 0; i < join.times && is_connected(socket_id); ++i) {
    answer(*socket, room, reply, i > 0);
    if (reply.result != store::JoinReply::Result::kJoined || !is_connected(socket_id)) continue;
    if (i == 0) {
      neighbours_.learn(room, reply.members, reply.stamp, socket);
    } else {
      // Redis has told them once only.
      neighbours_.send_to_room(room, ready_packet(socket_id), socket_id);
    }
  }
  if (is_connected(socket_id)) start(*socket);
}

void Joins::answer(Socket& socket, const std::string& room, const store::JoinReply& reply,
                   bool again) {
  using Result = store::JoinReply::Result;
  switch (reply.result) {
    case Result::kJoined:
      member(socket).joined_at = reply.stamp;
      accept(socket, room, reply.rejoined || again);
      return;
    case Result::kBoundElsewhere:
      refuse(socket, room, kBoundElsewhere);
      return;
    case Result::kLimited:
      ++counters_.requests_limited;
      refuse(socket, room,
             "Rate limit exceeded. Try again in " + std::to_string(reply.refusal.retry_after_s) +
                 "s. Attempts left: " + std::to_string(reply.refusal.attempts_left) + ".");
      return;
    case Result::kSecretWrong:
      ++counters_.guesses;
      refuse(socket, room, "The secret of the room is missing or wrong");
      return;
    case Result::kRoomAbsent:
      ++counters_.guesses;
      refuse(socket, room, "Room does not exist");
      return;
    case Result::kRoomFull:
      ++counters_.rooms_full;
      refuse(socket, room, "Room is full");
      return;
    case Result::kUnavailable:
      fail(socket, room, reply.error);
      return;
  }
}

// The other nodes hear of it from the script in Redis.
void Joins::accept(Socket& socket, const std::string& room, bool rejoined) {
  Member& self = member(socket);
  self.doubtful.clear();
  members_.bind(socket, room);
  ++counters_.joins;
  EventText text("/", "joinResponse");
  text.arguments() +=
      R"({"success":true,"message":"Successfully joined room","roomId":)" + json_string(room) + '}';
  socket.send(text.finish());
  if (!is_connected(socket.id())) return;  // it read too slowly, and has just been ended
  members_.send_ready(room, socket.id(), &socket);
  if (hooks_.joined && !rejoined) hooks_.joined(room, socket.id());
}

void Joins::fail(Socket& socket, const std::string& room, const std::string& error) {
  ++counters_.redis_unavailable;
  ++counters_.joins_refused;
  member(socket).doubtful = room;
  EventText text("/", "joinResponse");
  text.arguments() += R"({"success":false,"message":"Server error while joining room","error":)" +
                      json_string(error) + '}';
  socket.send(text.finish());
  if (hooks_.refused) hooks_.refused(room, socket.id(), error);
}

void Joins::refuse(Socket& socket, const std::string& room, const std::string& message) {
  ++counters_.joins_refused;
  EventText text("/", "joinResponse");
  std::string& out = text.arguments();
  out += R"({"success":false,"message":)";
  json::append_string(out, message);
  if (!room.empty()) append_text_member(out, "roomId", room);
  out += '}';
  socket.send(text.finish());
  if (hooks_.refused) hooks_.refused(room, socket.id(), message);
}

void Joins::cancel(Socket& socket, const std::string& room) {
  Member& self = member(socket);
  if (self.question != 0) {
    hooks_.withdraw(self.question);
    self.joins.clear();  // none of them has got as far as Redis
  }
  // A join under way is ahead of this in the pipeline to Redis, so that it is undone in any case.
  if (!self.joins.empty() && self.joins.front().room != room) {
    leave(self.joins.front().room, socket.id());
  }
  if (!self.doubtful.empty() && self.doubtful != room) leave(self.doubtful, socket.id());
}

void Joins::leave(const std::string& room, const std::string& socket_id) {
  rooms_.leave(room, socket_id, {}, [this](const store::LeaveReply& reply) {
    if (reply.result != store::LeaveReply::Result::kUnavailable) return;
    ++counters_.redis_unavailable;
    neighbours_.check();
  });
}

}  // namespace signalbox::signaling
