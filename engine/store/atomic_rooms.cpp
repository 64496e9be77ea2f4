#include "engine/store/atomic_rooms.h"

#include <utility>

#include "engine/store/keys.h"
#include "engine/store/registry_scripts.h"
#include "engine/store/room_replies.h"
#include "engine/store/room_scripts.h"
#include "engine/store/secret.h"

namespace signalbox::store {

// Who takes a socket out of its room, and what follows.
struct AtomicRooms::Leaver {
  Fence fence;
  std::string index;  // the key that lists the socket under its node
  std::string_view uninformed_node;
  EnvelopeKind news;
  std::string_view who;  // the address that asks for it; empty: this node itself
};

AtomicRooms::AtomicRooms(Commands& redis, const Options& options, Registry& registry)
    : redis_(redis), options_(options), registry_(registry) {}

void AtomicRooms::create(const CreateRequest& request, std::function<void(CreateReply)> done) {
  std::vector<std::string> keys = {room_key(request.room)};
  std::vector<std::string> arguments = create_arguments(request, options_);
  Limits::append(limits_.of(Limited::kCreate, request.who), keys, arguments);
  Limits::append(limits_.of(Limited::kGuess, request.named ? request.who : ""), keys, arguments);
  redis_.script(create_room_script(), std::move(keys), std::move(arguments),
                [done = std::move(done)](const Reply& reply) { done(to_create_reply(reply)); });
}

void AtomicRooms::check(std::string_view room, std::string_view who,
                        std::function<void(CheckReply)> done) {
  std::vector<std::string> keys = {room_key(room)};
  std::vector<std::string> arguments;
  Limits::append(limits_.of(Limited::kCheck, who), keys, arguments);
  Limits::append(limits_.of(Limited::kGuess, who), keys, arguments);
  redis_.script(check_room_script(), std::move(keys), std::move(arguments),
                [done = std::move(done)](const Reply& reply) { done(to_check_reply(reply)); });
}

void AtomicRooms::join(const JoinRequest& request, std::function<void(JoinReply)> done) {
  registry_.when_registered([this, request, done = std::move(done)]() mutable {
    // Who has waited in vain need not wait once more.
    send_join(request, !registry_.registered(), std::move(done));
  });
}

void AtomicRooms::send_join(const JoinRequest& request, bool last,
                            std::function<void(JoinReply)> done) {
  const std::string& node = registry_.id();
  const Fence fence = registry_.fence();
  std::vector<std::string> keys = {room_key(request.room), room_sockets_key(request.room),
                                   socket_key(request.socket), node_sockets_key(node), fence.key};
  std::vector<std::string> arguments = {
      request.room,
      request.socket,
      std::to_string(options_.limits_room_size),
      std::to_string(options_.rooms_ttl),
      binding_ttl(options_),
      std::to_string(options_.limits_join_enabled ? options_.limits_join_count : 0),
      std::to_string(options_.limits_join_window),
      random_attempt(),
      fence.value,
      node,
      node_channel(""),
      news(request.again ? EnvelopeKind::kRejoined : EnvelopeKind::kJoined, node, request.room,
           request.socket),
      news(EnvelopeKind::kRejoined, node, request.room, request.socket),
      secret_digest(request.room, request.secret)};
  if (!request.who.empty()) {
    keys.push_back(limit_key("join", request.who));
    Limits::append(limits_.of(Limited::kGuess, request.who), keys, arguments);
  }
  redis_.script(join_room_script(), std::move(keys), std::move(arguments),
                [this, request, last, done = std::move(done)](const Reply& reply) mutable {
                  const bool lost = outcome(reply) == "lost";
                  if (lost) registry_.on_lost();
                  if (!lost || last) return done(to_join_reply(reply));
                  registry_.when_registered([this, request, done = std::move(done)]() mutable {
                    send_join(request, true, std::move(done));
                  });
                });
}

void AtomicRooms::leave(std::string_view room, std::string_view socket, std::string_view who,
                        std::function<void(LeaveReply)> done) {
  registry_.when_registered([this, room = std::string(room), socket = std::string(socket),
                             who = std::string(who), done = std::move(done)] {
    leave_registered(room, socket, who, !registry_.registered(), done);
  });
}

void AtomicRooms::leave_registered(const std::string& room, const std::string& socket,
                                   const std::string& who, bool last,
                                   const std::function<void(LeaveReply)>& done) {
  const std::string& self = registry_.id();
  const std::string_view node = node_of(socket);
  // Of another node's socket this node hears like all others: its own view must not run ahead of
  // what the bus still brings.
  const bool own = node == self;
  const Leaver leaver = {registry_.fence(), node_sockets_key(node),
                         own ? std::string_view(self) : "",
                         own ? EnvelopeKind::kLeft : EnvelopeKind::kEvicted, who};
  send_leave(room, socket, leaver, [this, room, socket, who, last, done](const LeaveReply& reply) {
    const bool lost = reply.result == LeaveReply::Result::kLost;
    if (lost) registry_.on_lost();
    if (!lost || last) return done(reply);
    registry_.when_registered(
        [this, room, socket, who, done] { leave_registered(room, socket, who, true, done); });
  });
}

void AtomicRooms::members(std::string_view room,
                          std::function<void(std::vector<std::string>)> done) {
  redis_.command({"SMEMBERS", room_sockets_key(room)},
                 [done = std::move(done)](const Reply& reply) { done(texts(reply)); });
}

void AtomicRooms::set_aside(const Departed& departed, std::function<void(int64_t count)> done) {
  const std::string& node = departed.node;
  const Fence claim = registry_.claim(node);
  redis_.script(set_aside_script(), {node_sockets_key(node), node_left_key(node), claim.key},
                {claim.field, claim.value}, [done = std::move(done)](const Reply& reply) {
                  done(reply.type == Reply::Type::kInteger ? reply.integer : -1);
                });
}

void AtomicRooms::clean(const Departed& departed, std::string_view room, std::string_view socket,
                        std::function<void(LeaveReply)> done) {
  const std::string& node = departed.node;
  send_leave(room, socket,
             {registry_.claim(node), node_left_key(node), node, EnvelopeKind::kLeft, {}},
             std::move(done));
}

void AtomicRooms::send_leave(std::string_view room, std::string_view socket, const Leaver& leaver,
                             std::function<void(LeaveReply)> done) {
  std::vector<std::string> keys = {room_key(room), room_sockets_key(room), socket_key(socket),
                                   leaver.index, leaver.fence.key};
  std::vector<std::string> arguments = {std::string(room),
                                        std::string(socket),
                                        std::to_string(options_.rooms_empty_ttl),
                                        leaver.fence.field,
                                        leaver.fence.value,
                                        std::string(leaver.uninformed_node),
                                        node_channel(""),
                                        news(leaver.news, registry_.id(), room, socket)};
  Limits::append(limits_.of(Limited::kGuess, leaver.who), keys, arguments);
  redis_.script(leave_room_script(), std::move(keys), std::move(arguments),
                [done = std::move(done)](const Reply& reply) { done(to_leave_reply(reply)); });
}

void AtomicRooms::bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done) {
  const std::string& node = registry_.id();
  const Fence fence = registry_.fence();
  std::vector<std::string> keys = {fence.key, node_sockets_key(node)};
  std::vector<std::string> arguments = {fence.value, std::to_string(options_.rooms_ttl),
                                        binding_ttl(options_), node, node_channel("")};
  for (const auto& [room, socket] : bindings) {
    keys.insert(keys.end(), {room_key(room), room_sockets_key(room), socket_key(socket)});
    arguments.insert(arguments.end(),
                     {room, socket, news(EnvelopeKind::kJoined, node, room, socket)});
  }
  redis_.script(bind_script(), std::move(keys), std::move(arguments),
                [this, count = bindings.size(), done = std::move(done)](const Reply& reply) {
                  BindReply bind;
                  if (outcome(reply) == "lost") registry_.on_lost();
                  if (outcome(reply) == "bound" && reply.elements.size() == count + 2) {
                    bind.bound = true;
                    bind.stamps.assign(count, static_cast<uint64_t>(reply.elements[1].integer));
                    for (size_t i = 0; i < count; ++i) {
                      const std::vector<Reply>& each = reply.elements[i + 2].elements;
                      if (each.size() != 2) return done({});
                      bind.was_bound.push_back(each[0].integer == 0);
                      bind.members.push_back(texts(each[1]));
                    }
                  }
                  done(std::move(bind));
                });
}

}  // namespace signalbox::store
