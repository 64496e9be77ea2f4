#include "engine/store/split_rooms.h"

#include <memory>
#include <utility>

#include "engine/store/envelope.h"
#include "engine/store/keys.h"
#include "engine/store/room_replies.h"
#include "engine/store/room_scripts.h"
#include "engine/store/split_scripts.h"

namespace signalbox::store {
namespace {

// That a node has departed from a room is remembered for longer than the network can hold back what
// that node had sent.
constexpr const char* kDepartedTtlS = "3600";

// Of a node whose index was set aside by a cleaner that did not know it either.
constexpr const char* kUnknownToken = ":0";

}  // namespace

struct SplitRooms::Join {
  JoinRequest request;
  std::function<void(JoinReply)> done;
  bool again = false;  // after it has turned out that this node had to register again
};

SplitRooms::SplitRooms(Commands& redis, const Options& options, Registry& registry)
    : redis_(redis), options_(options), registry_(registry) {}

void SplitRooms::take_turn(const std::string& socket, Turn turn) {
  std::deque<Turn>& turns = turns_[socket];
  turns.push_back(std::move(turn));
  if (turns.size() == 1) next_turn(socket);
}

void SplitRooms::next_turn(const std::string& socket) {
  const Turn turn = turns_[socket].front();
  turn([this, socket] {
    const auto found = turns_.find(socket);
    found->second.pop_front();
    if (found->second.empty()) {
      turns_.erase(found);
    } else {
      next_turn(socket);
    }
  });
}

void SplitRooms::create(std::string_view room, std::function<void(CreateResult)> done) {
  redis_.script(create_room_script(), {tagged_room_key(room)}, {std::to_string(options_.rooms_ttl)},
                [done = std::move(done)](const Reply& reply) { done(to_create_result(reply)); });
}

void SplitRooms::check(std::string_view room, std::function<void(CheckResult)> done) {
  redis_.command({"HEXISTS", tagged_room_key(room), "created_at"},
                 [done = std::move(done)](const Reply& reply) { done(to_check_result(reply)); });
}

void SplitRooms::members(std::string_view room,
                         std::function<void(std::vector<std::string>)> done) {
  redis_.command({"SMEMBERS", tagged_room_sockets_key(room)},
                 [done = std::move(done)](const Reply& reply) { done(texts(reply)); });
}

// Joining

void SplitRooms::join(const JoinRequest& request, std::function<void(JoinReply)> done) {
  take_turn(request.socket, [this, request, done = std::move(done)](std::function<void()> over) {
    const auto join = std::make_shared<Join>();
    join->request = request;
    join->done = [done, over = std::move(over)](JoinReply reply) {
      done(std::move(reply));
      over();
    };
    registry_.when_registered([this, join] { count_attempt(join); });
  });
}

void SplitRooms::count_attempt(const std::shared_ptr<Join>& join) {
  const JoinRequest& request = join->request;
  if (!options_.limits_join_enabled || request.limit_key.empty() || request.again) {
    return enlist(join);
  }
  redis_.script(attempt_script(), {join_limit_key(request.limit_key)},
                {std::to_string(options_.limits_join_count),
                 std::to_string(options_.limits_join_window), random_attempt()},
                [this, join](const Reply& reply) {
                  if (outcome(reply) == "passed") return enlist(join);
                  join->done(to_join_reply(reply));
                });
}

void SplitRooms::enlist(const std::shared_ptr<Join>& join) {
  const Fence fence = registry_.fence();
  redis_.script(enlist_script(), {fence.key, node_sockets_key(registry_.id())},
                {fence.value, join->request.room, join->request.socket, binding_ttl(options_)},
                [this, join](const Reply& reply) {
                  if (outcome(reply) == "listed") return enter(join);
                  const bool lost = outcome(reply) == "lost";
                  if (lost) registry_.on_lost();
                  if (!lost || std::exchange(join->again, true)) {
                    return join->done(to_join_reply(reply));
                  }
                  registry_.when_registered([this, join] { enlist(join); });
                });
}

void SplitRooms::enter(const std::shared_ptr<Join>& join) {
  const auto& [room, socket, limit_key, again] = join->request;
  enter_room("join", room, socket, [this, join](const Reply& reply) {
    JoinReply answer = to_join_reply(reply);
    const JoinRequest& request = join->request;
    using Result = JoinReply::Result;
    if (outcome(reply) == "lost") registry_.on_lost();
    if (answer.result == Result::kJoined) {
      bind_socket(request.room, request.socket);
    } else if (answer.result != Result::kUnavailable) {
      unbind_socket(request.room, request.socket, node_sockets_key(registry_.id()));
    }
    join->done(std::move(answer));
  });
}

void SplitRooms::enter_room(const char* how, const std::string& room, const std::string& socket,
                            Step done) {
  const std::string& node = registry_.id();
  redis_.script(
      enter_script(),
      {tagged_room_key(room), tagged_room_sockets_key(room), tagged_room_departed_key(room)},
      {how, socket, std::to_string(options_.limits_room_size), std::to_string(options_.rooms_ttl),
       registry_.secret(), std::to_string(registry_.number()), node, node_channel(""),
       news(EnvelopeKind::kJoined, node, room, socket),
       news(EnvelopeKind::kRejoined, node, room, socket)},
      std::move(done));
}

void SplitRooms::bind_socket(const std::string& room, const std::string& socket) {
  redis_.command({"SET", socket_key(socket), room, "EX", binding_ttl(options_)},
                 [](const Reply&) {});
}

void SplitRooms::unbind_socket(const std::string& room, const std::string& socket,
                               const std::string& index) {
  redis_.script(unbind_script(), {socket_key(socket)}, {room},
                [this, socket, index](const Reply& reply) {
                  // Else what the index has makes somebody do this again.
                  if (outcome(reply) != "done") return;
                  redis_.command({"HDEL", index, socket}, [](const Reply&) {});
                });
}

void SplitRooms::bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done) {
  struct Progress {
    size_t answers_due;
    BindReply reply;
    std::function<void(BindReply)> done;
  };
  const auto progress = std::make_shared<Progress>();
  progress->answers_due = bindings.size();
  progress->reply = {true, std::vector<std::vector<std::string>>(bindings.size())};
  progress->done = std::move(done);
  const auto answered = [progress](bool bound) {
    progress->reply.bound = progress->reply.bound && bound;
    if (--progress->answers_due == 0) progress->done(std::move(progress->reply));
  };
  const Fence fence = registry_.fence();
  for (size_t i = 0; i < bindings.size(); ++i) {
    redis_.script(enlist_script(), {fence.key, node_sockets_key(registry_.id())},
                  {fence.value, bindings[i].room, bindings[i].socket, binding_ttl(options_)},
                  [this, i, binding = bindings[i], progress, answered](const Reply& reply) {
                    if (outcome(reply) == "lost") registry_.on_lost();
                    if (outcome(reply) != "listed") return answered(false);
                    enter_room("bind", binding.room, binding.socket,
                               [this, i, binding, progress, answered](const Reply& entered) {
                                 JoinReply answer = to_join_reply(entered);
                                 if (answer.result == JoinReply::Result::kJoined) {
                                   progress->reply.members[i] = std::move(answer.members);
                                   bind_socket(binding.room, binding.socket);
                                 }
                                 answered(answer.result == JoinReply::Result::kJoined);
                               });
                  });
  }
}

// Leaving

void SplitRooms::leave(std::string_view room, std::string_view socket,
                       std::function<void(LeaveReply)> done) {
  const std::string name(room);
  const std::string id(socket);
  take_turn(id, [this, name, id, done = std::move(done)](const std::function<void()>& over) {
    registry_.when_registered([this, name, id, done, over] {
      exit_room(name, id, "", [this, name, id, done, over](const LeaveReply& reply) {
        if (reply.result != LeaveReply::Result::kUnavailable) {
          unbind_socket(name, id, node_sockets_key(node_of(id)));
        }
        done(reply);
        over();
      });
    });
  });
}

// `departed`: the token of the registration that is over, if this is its clean-up.
void SplitRooms::exit_room(const std::string& room, const std::string& socket,
                           const std::string& departed, std::function<void(LeaveReply)> done) {
  const std::string& self = registry_.id();
  const std::string node(node_of(socket));
  const bool evicted = node != self && departed.empty();
  std::vector<std::string> arguments = {
      socket, std::to_string(options_.rooms_empty_ttl), departed.empty() ? self : node,
      node_channel(""),
      news(evicted ? EnvelopeKind::kEvicted : EnvelopeKind::kLeft, self, room, socket)};
  if (const size_t colon = departed.rfind(':'); colon != std::string::npos) {
    arguments.insert(arguments.end(),
                     {departed.substr(0, colon), departed.substr(colon + 1), kDepartedTtlS});
  }
  redis_.script(
      exit_script(),
      {tagged_room_key(room), tagged_room_sockets_key(room), tagged_room_departed_key(room)},
      std::move(arguments),
      [done = std::move(done)](const Reply& reply) { done(to_leave_reply(reply)); });
}

void SplitRooms::set_aside(const std::string& node, std::function<void(int64_t count)> done) {
  redis_.script(lower_fence_script(),
                {node_fence_key(node), node_sockets_key(node), node_left_key(node)},
                {binding_ttl(options_)}, [this, node, done = std::move(done)](const Reply& reply) {
                  if (reply.elements.size() != 2) return done(-1);
                  const std::string& token = reply.elements[1].text;
                  departed_[node] = token.empty() ? kUnknownToken : token;

                  done(reply.elements[0].integer);
                });
}

void SplitRooms::clean(std::string_view room, std::string_view socket,
                       std::function<void(LeaveReply)> done) {
  const std::string name(room);
  const std::string id(socket);
  const std::string node(node_of(id));
  // Not a socket but the token of lower_fence_script().
  if (id.empty()) return done({LeaveReply::Result::kNotMember, {}});
  exit_room(name, id, departed_[node], [this, name, id, node, done](const LeaveReply& reply) {
    if (reply.result != LeaveReply::Result::kUnavailable) {
      unbind_socket(name, id, node_left_key(node));
    }
    done(reply);
  });
}

}  // namespace signalbox::store
