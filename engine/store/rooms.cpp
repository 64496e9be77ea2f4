#include "engine/store/rooms.h"

#include <algorithm>
#include <utility>

#include "engine/core/id.h"
#include "engine/core/options.h"
#include "engine/store/envelope.h"
#include "engine/store/keys.h"
#include "engine/store/redis.h"
#include "engine/store/room_scripts.h"

namespace signalbox::store {
namespace {

// A binding must outlive the room it points to, whatever the room's time to live is set to.
constexpr int64_t kBindingTtlS = 90000;
constexpr int64_t kBindingMarginS = 3600;

// Tells two attempts of the same millisecond apart.
constexpr size_t kAttemptRandomLength = 12;

// The first element names the outcome; of anything else (an error, no answer) it is empty.
std::string_view outcome(const Reply& reply) {
  if (reply.type != Reply::Type::kArray || reply.elements.empty()) return {};
  return reply.elements[0].text;
}

std::vector<std::string> texts(const Reply& array) {
  std::vector<std::string> result;
  result.reserve(array.elements.size());
  for (const Reply& element : array.elements) result.push_back(element.text);
  return result;
}

JoinReply to_join_reply(const Reply& reply) {
  JoinReply join;
  const std::string_view what = outcome(reply);
  if (what == "joined" && reply.elements.size() == 3) {
    join.result = JoinReply::Result::kJoined;
    join.rejoined = reply.elements[1].integer == 1;
    join.members = texts(reply.elements[2]);
  } else if (what == "limited" && reply.elements.size() == 3) {
    join.result = JoinReply::Result::kLimited;
    join.retry_after_s = reply.elements[1].integer;
    join.attempts_left = reply.elements[2].integer;
  } else if (what == "elsewhere") {
    join.result = JoinReply::Result::kBoundElsewhere;
  } else if (what == "absent") {
    join.result = JoinReply::Result::kRoomAbsent;
  } else if (what == "full") {
    join.result = JoinReply::Result::kRoomFull;
  } else if (what == "lost") {
    join.error = "the others have given this node up";
  } else {
    // What Redis says of itself is for the log, which it is in already.
    const bool unavailable = reply.type == Reply::Type::kUnavailable;
    join.error = unavailable ? reply.text : "Redis refused the operation";
  }
  return join;
}

LeaveReply to_leave_reply(const Reply& reply) {
  LeaveReply leave;
  const std::string_view what = outcome(reply);
  if (what == "left" && reply.elements.size() == 2) {
    leave.result = LeaveReply::Result::kLeft;
    leave.members = texts(reply.elements[1]);
  } else if (what == "stranger") {
    leave.result = LeaveReply::Result::kNotMember;
  } else if (what == "absent") {
    leave.result = LeaveReply::Result::kRoomAbsent;
  } else if (what == "lost") {
    leave.result = LeaveReply::Result::kLost;
  }
  return leave;
}

// What other nodes are told. It has no place in the sequence of a route: Redis says it.
std::string news(EnvelopeKind kind, std::string_view sender, std::string_view room,
                 std::string_view socket) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.sender = sender;
  envelope.room = room;
  envelope.socket = socket;
  return encode(envelope);
}

}  // namespace

// Who takes a socket out of its room, and what follows.
struct Rooms::Leaver {
  Fence fence;
  std::string index;  // the key that lists the socket under its node
  std::string_view uninformed_node;
  EnvelopeKind news;
};

Rooms::Rooms(Redis& redis, const Options& options, Registry& registry)
    : redis_(redis), options_(options), registry_(registry) {}

void Rooms::create(std::string_view room, std::function<void(CreateResult)> done) {
  redis_.script(create_room_script(), {room_key(room)}, {std::to_string(options_.rooms_ttl)},
                [done = std::move(done)](const Reply& reply) {
                  if (reply.type != Reply::Type::kInteger) return done(CreateResult::kUnavailable);
                  done(reply.integer == 1 ? CreateResult::kCreated : CreateResult::kExists);
                });
}

void Rooms::check(std::string_view room, std::function<void(CheckResult)> done) {
  redis_.command({"HEXISTS", room_key(room), "created_at"},
                 [done = std::move(done)](const Reply& reply) {
                   if (reply.type != Reply::Type::kInteger) return done(CheckResult::kUnavailable);
                   done(reply.integer == 1 ? CheckResult::kPresent : CheckResult::kAbsent);
                 });
}

std::string Rooms::binding_ttl() const {
  return std::to_string(std::max(kBindingTtlS, options_.rooms_ttl + kBindingMarginS));
}

void Rooms::join(const JoinRequest& request, std::function<void(JoinReply)> done) {
  registry_.when_registered([this, request, done = std::move(done)]() mutable {
    send_join(request, false, std::move(done));
  });
}

void Rooms::send_join(const JoinRequest& request, bool again, std::function<void(JoinReply)> done) {
  const std::string& node = registry_.id();
  const Fence fence = registry_.fence();
  std::vector<std::string> keys = {room_key(request.room), room_sockets_key(request.room),
                                   socket_key(request.socket), node_sockets_key(node), fence.key};
  if (options_.limits_join_enabled && !request.limit_key.empty()) {
    keys.push_back(join_limit_key(request.limit_key));
  }
  redis_.script(
      join_room_script(), std::move(keys),
      {request.room, request.socket, std::to_string(options_.limits_room_size),
       std::to_string(options_.rooms_ttl), binding_ttl(),
       std::to_string(options_.limits_join_count), std::to_string(options_.limits_join_window),
       random_id(kAttemptRandomLength), fence.value, node, node_channel(""),
       news(EnvelopeKind::kJoined, node, request.room, request.socket),
       news(EnvelopeKind::kRejoined, node, request.room, request.socket)},
      [this, request, again, done = std::move(done)](const Reply& reply) mutable {
        const bool lost = outcome(reply) == "lost";
        if (lost) registry_.on_lost();
        if (!lost || again) return done(to_join_reply(reply));
        registry_.when_registered([this, request, done = std::move(done)]() mutable {
          send_join(request, true, std::move(done));
        });
      });
}

void Rooms::leave(std::string_view room, std::string_view socket,
                  std::function<void(LeaveReply)> done) {
  registry_.when_registered(
      [this, room = std::string(room), socket = std::string(socket), done = std::move(done)] {
        leave_registered(room, socket, false, done);
      });
}

void Rooms::leave_registered(const std::string& room, const std::string& socket, bool again,
                             const std::function<void(LeaveReply)>& done) {
  const std::string& self = registry_.id();
  const std::string_view node = node_of(socket);
  const Leaver leaver = {registry_.fence(), node_sockets_key(node), self,
                         node == self ? EnvelopeKind::kLeft : EnvelopeKind::kEvicted};
  send_leave(room, socket, leaver, [this, room, socket, again, done](const LeaveReply& reply) {
    const bool lost = reply.result == LeaveReply::Result::kLost;
    if (lost) registry_.on_lost();
    if (!lost || again) return done(reply);
    registry_.when_registered(
        [this, room, socket, done] { leave_registered(room, socket, true, done); });
  });
}

void Rooms::members(std::string_view room, std::function<void(std::vector<std::string>)> done) {
  redis_.command({"SMEMBERS", room_sockets_key(room)},
                 [done = std::move(done)](const Reply& reply) { done(texts(reply)); });
}

void Rooms::clean(std::string_view room, std::string_view socket,
                  std::function<void(LeaveReply)> done) {
  const std::string node(node_of(socket));
  send_leave(room, socket, {registry_.claim(node), node_left_key(node), node, EnvelopeKind::kLeft},
             std::move(done));
}

void Rooms::send_leave(std::string_view room, std::string_view socket, const Leaver& leaver,
                       std::function<void(LeaveReply)> done) {
  redis_.script(
      leave_room_script(),
      {room_key(room), room_sockets_key(room), socket_key(socket), leaver.index, leaver.fence.key},
      {std::string(room), std::string(socket), std::to_string(options_.rooms_empty_ttl),
       leaver.fence.field, leaver.fence.value, std::string(leaver.uninformed_node),
       node_channel(""), news(leaver.news, registry_.id(), room, socket)},
      [done = std::move(done)](const Reply& reply) { done(to_leave_reply(reply)); });
}

void Rooms::bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done) {
  const std::string& node = registry_.id();
  const Fence fence = registry_.fence();
  std::vector<std::string> keys = {fence.key, node_sockets_key(node)};
  std::vector<std::string> arguments = {fence.value, std::to_string(options_.rooms_ttl),
                                        binding_ttl(), node, node_channel("")};
  for (const auto& [room, socket] : bindings) {
    keys.insert(keys.end(), {room_key(room), room_sockets_key(room), socket_key(socket)});
    arguments.insert(arguments.end(),
                     {room, socket, news(EnvelopeKind::kJoined, node, room, socket)});
  }
  redis_.script(bind_script(), std::move(keys), std::move(arguments),
                [this, count = bindings.size(), done = std::move(done)](const Reply& reply) {
                  BindReply bind;
                  if (outcome(reply) == "lost") registry_.on_lost();
                  if (outcome(reply) == "bound" && reply.elements.size() == count + 1) {
                    bind.bound = true;
                    for (size_t i = 1; i <= count; ++i) {
                      bind.members.push_back(texts(reply.elements[i]));
                    }
                  }
                  done(std::move(bind));
                });
}

}  // namespace signalbox::store
