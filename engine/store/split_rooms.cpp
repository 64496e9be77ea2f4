#include "engine/store/split_rooms.h"

#include <memory>
#include <utility>

#include "engine/store/envelope.h"
#include "engine/store/keys.h"
#include "engine/store/room_replies.h"
#include "engine/store/room_scripts.h"
#include "engine/store/secret.h"
#include "engine/store/split_scripts.h"

namespace signalbox::store {
namespace {

// That a node has departed from a room is remembered for longer than the network can hold back what
// that node had sent.
constexpr const char* kDepartedTtlS = "3600";

// A token's secret and number.
std::pair<std::string, std::string> parts(const std::string& token) {
  const size_t colon = token.rfind(':');
  if (colon == std::string::npos) return {token, "0"};
  return {token.substr(0, colon), token.substr(colon + 1)};
}

}  // namespace

struct SplitRooms::Join {
  JoinRequest request;
  std::function<void(JoinReply)> done;
  std::function<void()> over;
  uint64_t number = 0;  // of the registration in which it was enlisted
  bool again = false;   // no further try, should this node turn out not to be registered

  void finish(JoinReply reply) const {
    done(std::move(reply));
    over();
  }
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

void SplitRooms::create(const CreateRequest& request, std::function<void(CreateReply)> done) {
  const std::string guesser = request.named ? request.who : "";
  limits_.ask({limits_.of(Limited::kCreate, request.who), limits_.of(Limited::kGuess, guesser)},
              true, [this, request, guesser, done = std::move(done)](const Reply& asked) {
                if (outcome(asked) != "passed") return done(to_create_reply(asked));
                redis_.script(create_room_script(), {tagged_room_key(request.room)},
                              create_arguments(request, options_),
                              [this, guesser, done](const Reply& reply) {
                                const CreateReply created = to_create_reply(reply);
                                const auto answer = [done, created] { done(created); };
                                if (created.result != CreateResult::kCreated) return answer();
                                limits_.count_guess(guesser, answer);
                              });
              });
}

void SplitRooms::check(std::string_view room, std::string_view who,
                       std::function<void(CheckReply)> done) {
  limits_.ask({limits_.of(Limited::kCheck, who), limits_.of(Limited::kGuess, who)}, true,
              [this, key = tagged_room_key(room), who = std::string(who),
               done = std::move(done)](const Reply& asked) {
                if (outcome(asked) != "passed") return done(to_check_reply(asked));
                redis_.script(check_room_script(), {key}, {},
                              [this, who, done](const Reply& reply) {
                                const CheckReply checked = to_check_reply(reply);
                                const auto answer = [done, checked] { done(checked); };
                                if (checked.result != CheckResult::kAbsent) return answer();
                                limits_.count_guess(who, answer);
                              });
              });
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
    join->done = done;
    join->over = std::move(over);
    registry_.when_registered([this, join] {
      join->again = !registry_.registered();  // who has waited in vain need not wait once more
      count_attempt(join);
    });
  });
}

void SplitRooms::count_attempt(const std::shared_ptr<Join>& join) {
  const JoinRequest& request = join->request;
  const Limit guesses = limits_.of(Limited::kGuess, request.who);
  const bool limited = options_.limits_join_enabled || guesses.count > 0;
  if (!limited || request.who.empty() || request.again) return enlist(join);
  std::vector<std::string> keys = {tagged_limit_key("join", request.who)};
  std::vector<std::string> arguments = {
      std::to_string(options_.limits_join_enabled ? options_.limits_join_count : 0),
      std::to_string(options_.limits_join_window), random_attempt()};
  Limits::append(guesses, keys, arguments);
  redis_.script(attempt_script(), std::move(keys), std::move(arguments),
                [this, join](const Reply& reply) {
                  if (outcome(reply) == "passed") return enlist(join);
                  join->finish(to_join_reply(reply));
                });
}

void SplitRooms::enlist(const std::shared_ptr<Join>& join) {
  const Fence fence = registry_.fence();
  join->number = registry_.number();
  redis_.script(enlist_script(), {fence.key, node_sockets_key(registry_.id())},
                {fence.value, join->request.room, join->request.socket, binding_ttl(options_)},
                [this, join](const Reply& reply) {
                  if (outcome(reply) == "listed") return enter(join);
                  const bool lost = outcome(reply) == "lost";
                  if (lost) registry_.on_lost();
                  if (!lost || std::exchange(join->again, true)) {
                    return join->finish(to_join_reply(reply));
                  }
                  registry_.when_registered([this, join] { enlist(join); });
                });
}

void SplitRooms::enter(const std::shared_ptr<Join>& join) {
  const JoinRequest& request = join->request;
  const EnvelopeKind kind = request.again ? EnvelopeKind::kRejoined : EnvelopeKind::kJoined;
  enter_room("join", request, join->number, kind,
             [this, join](const Reply& reply) { on_entered(join, reply); });
}

void SplitRooms::on_entered(const std::shared_ptr<Join>& join, const Reply& reply) {
  const JoinRequest& request = join->request;
  if (outcome(reply) == "joined" && join->number != registry_.number()) {
    // Given up meanwhile: the entry of the index may have been cleaned up.
    return registry_.when_registered([this, join] { enlist(join); });
  }
  JoinReply answer = to_join_reply(reply);
  using Result = JoinReply::Result;
  if (outcome(reply) == "lost") registry_.on_lost();
  if (answer.result == Result::kJoined) bind_socket(request.room, request.socket);
  if (answer.result == Result::kJoined || answer.result == Result::kUnavailable) {
    return join->finish(std::move(answer));
  }
  const bool guessed =
      answer.result == Result::kRoomAbsent || answer.result == Result::kSecretWrong;
  const auto refuse = [this, join, answer] {
    join->done(answer);
    unbind_socket(join->request.room, join->request.socket,
                  [this, join] { unlist(join->request.socket, join->over); });
  };
  if (!guessed || request.again) return refuse();
  limits_.count_guess(request.who, refuse);
}

void SplitRooms::enter_room(const char* how, const JoinRequest& request, uint64_t number,
                            EnvelopeKind kind, Step done) {
  const std::string& room = request.room;
  const std::string& socket = request.socket;
  const std::string& node = registry_.id();
  redis_.script(
      enter_script(),
      {tagged_room_key(room), tagged_room_sockets_key(room), tagged_room_nodes_key(room)},
      {how, socket, std::to_string(options_.limits_room_size), std::to_string(options_.rooms_ttl),
       registry_.secret(), std::to_string(number), node, node_channel(""),
       news(kind, node, room, socket), news(EnvelopeKind::kRejoined, node, room, socket),
       secret_digest(room, request.secret)},
      std::move(done));
}

void SplitRooms::bind_socket(const std::string& room, const std::string& socket) {
  redis_.command({"SET", socket_key(socket), room, "EX", binding_ttl(options_)},
                 [](const Reply&) {});
}

void SplitRooms::unbind_socket(const std::string& room, const std::string& socket,
                               std::function<void()> then) {
  redis_.script(unbind_script(), {socket_key(socket)}, {room},
                [then = std::move(then)](const Reply&) { then(); });
}

void SplitRooms::unlist(const std::string& socket, std::function<void()> then) {
  const Fence fence = registry_.fence();
  redis_.script(unlist_script(), {fence.key, node_sockets_key(registry_.id())},
                {fence.value, socket}, [then = std::move(then)](const Reply&) { then(); });
}

void SplitRooms::bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done) {
  struct Progress {
    size_t answers_due;
    BindReply reply;
    std::function<void(BindReply)> done;
  };
  const size_t count = bindings.size();
  const auto progress = std::make_shared<Progress>(
      Progress{count,
               {true, std::vector<bool>(count), std::vector<std::vector<std::string>>(count),
                std::vector<uint64_t>(count)},
               std::move(done)});
  for (size_t i = 0; i < count; ++i) {
    take_turn(bindings[i].socket,
              [this, i, binding = bindings[i], progress](std::function<void()> over) {
                bind_one(binding, [i, progress, over = std::move(over)](JoinReply answer) {
                  BindReply& reply = progress->reply;
                  reply.bound = reply.bound && answer.result == JoinReply::Result::kJoined;
                  reply.was_bound[i] = answer.rejoined;
                  reply.members[i] = std::move(answer.members);
                  reply.stamps[i] = answer.stamp;
                  if (--progress->answers_due == 0) progress->done(std::move(reply));
                  over();
                });
              });
  }
}

void SplitRooms::bind_one(const Binding& binding, std::function<void(JoinReply)> done) {
  const Fence fence = registry_.fence();
  redis_.script(
      enlist_script(), {fence.key, node_sockets_key(registry_.id())},
      {fence.value, binding.room, binding.socket, binding_ttl(options_)},
      [this, number = registry_.number(), binding, done = std::move(done)](const Reply& reply) {
        if (outcome(reply) == "lost") registry_.on_lost();
        if (outcome(reply) != "listed") return done({});
        JoinRequest request;
        request.room = binding.room;
        request.socket = binding.socket;
        enter_room("bind", request, number, EnvelopeKind::kJoined,
                   [this, binding, done](const Reply& entered) {
                     JoinReply answer = to_join_reply(entered);
                     if (answer.result == JoinReply::Result::kJoined) {
                       bind_socket(binding.room, binding.socket);
                     }
                     done(std::move(answer));
                   });
      });
}

// Leaving

void SplitRooms::leave(std::string_view room, std::string_view socket, std::string_view who,
                       std::function<void(LeaveReply)> done) {
  const std::string asker(who);
  limits_.ask({limits_.of(Limited::kGuess, who)}, false,
              [this, asker, name = std::string(room), id = std::string(socket),
               done = std::move(done)](const Reply& asked) {
                if (outcome(asked) != "passed") return done(to_leave_reply(asked));
                leave_in_turn(name, id, [this, asker, done](const LeaveReply& reply) {
                  using Result = LeaveReply::Result;
                  const auto answer = [done, reply] { done(reply); };
                  const bool guessed =
                      reply.result == Result::kNotMember || reply.result == Result::kRoomAbsent;
                  if (!guessed) return answer();
                  limits_.count_guess(asker, answer);
                });
              });
}

void SplitRooms::leave_in_turn(const std::string& name, const std::string& id,
                               std::function<void(LeaveReply)> done) {
  take_turn(id, [this, name, id, done = std::move(done)](const std::function<void()>& over) {
    registry_.when_registered([this, name, id, done, over] {
      exit_room(name, id, nullptr, [this, name, id, done, over](const LeaveReply& reply) {
        if (reply.result == LeaveReply::Result::kLost) registry_.on_lost();
        done(reply);
        if (reply.result == LeaveReply::Result::kLost ||
            reply.result == LeaveReply::Result::kUnavailable) {
          return over();
        }
        // The rest of another node's socket is that node's, when it hears of it.
        if (node_of(id) != registry_.id()) return over();
        unbind_socket(name, id, [this, id, over] { unlist(id, over); });
      });
    });
  });
}

void SplitRooms::exit_room(const std::string& room, const std::string& socket,
                           const Departed* departed, std::function<void(LeaveReply)> done) {
  const std::string& self = registry_.id();
  const bool own = node_of(socket) == self;
  // Of another node's socket this node hears like all others.
  const std::string uninformed = departed != nullptr ? departed->node : own ? self : "";
  const auto [secret, number] =
      departed != nullptr ? parts(departed->token)
                          : std::pair(registry_.secret(), std::to_string(registry_.number()));
  const bool evicted = departed == nullptr && !own;
  redis_.script(exit_script(),
                {tagged_room_key(room), tagged_room_sockets_key(room), tagged_room_nodes_key(room)},
                {departed != nullptr ? "clean"
                 : own               ? "leave"
                                     : "evict",
                 socket, std::to_string(options_.rooms_empty_ttl), secret, number, kDepartedTtlS,
                 uninformed, node_channel(""),
                 news(evicted ? EnvelopeKind::kEvicted : EnvelopeKind::kLeft, self, room, socket)},
                [done = std::move(done)](const Reply& reply) { done(to_leave_reply(reply)); });
}

void SplitRooms::set_aside(const Departed& departed, std::function<void(int64_t count)> done) {
  const auto [secret, number] = parts(departed.token);
  const std::string& node = departed.node;
  redis_.script(
      lower_fence_script(), {node_fence_key(node), node_sockets_key(node), node_left_key(node)},
      {secret, number, binding_ttl(options_)}, [done = std::move(done)](const Reply& reply) {
        done(reply.type == Reply::Type::kInteger ? reply.integer : -1);
      });
}

void SplitRooms::clean(const Departed& departed, std::string_view room, std::string_view socket,
                       std::function<void(LeaveReply)> done) {
  const std::string name(room);
  const std::string id(socket);
  exit_room(name, id, &departed,
            [this, name, id, node = departed.node, done](const LeaveReply& reply) {
              if (reply.result == LeaveReply::Result::kLost ||
                  reply.result == LeaveReply::Result::kUnavailable) {
                return done(reply);
              }
              unbind_socket(name, id, [this, id, node, done, reply] {
                redis_.command({"HDEL", node_left_key(node), id},
                               [done, reply](const Reply&) { done(reply); });
              });
            });
}

}  // namespace signalbox::store
