// Rooms in Redis: each operation one Lua script, one round trip, atomic. What changes a room's
// members also tells the other nodes that have some of them, in the same step: kJoined, kRejoined,
// kLeft or kEvicted (envelope.h). The key layout is written down in engine/store/README.md.
//
// All but create and check need this node to be registered; commands that come late, from an
// earlier registration, have no effect.
//
// Thread: the loop's. Each operation returns at once and calls back exactly once, on the loop,
// later
//   or (when it cannot even be sent) in a later turn; never inside the call.
// Owner: the engine. Destroying it answers what is pending with kUnavailable first.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/registry.h"

namespace signalbox::store {

// kUnavailable: Redis is away, slow or refuses; whether the operation happened is unknown.
enum class CreateResult { kCreated, kExists, kUnavailable };
enum class CheckResult { kAbsent, kPresent, kUnavailable };

struct JoinRequest {
  std::string room;
  std::string socket;
  std::string limit_key;  // whom the join limit counts; empty: not limited
};

struct JoinReply {
  enum class Result { kJoined, kBoundElsewhere, kLimited, kRoomAbsent, kRoomFull, kUnavailable };
  Result result = Result::kUnavailable;
  bool rejoined = false;             // kJoined: was in it already
  std::vector<std::string> members;  // kJoined: everyone in the room, the joiner too
  int64_t retry_after_s = 0;         // kLimited
  int64_t attempts_left = 0;         // kLimited
  std::string error;                 // kUnavailable: a text for the client, without secrets
};

struct LeaveReply {
  // kLost: this node is not registered, or must not clean up (any more).
  enum class Result { kLeft, kNotMember, kRoomAbsent, kLost, kUnavailable };
  Result result = Result::kUnavailable;
  std::vector<std::string> members;  // kLeft: who was in the room before, the leaver too
};

struct Binding {
  std::string room;
  std::string socket;
};

struct BindReply {
  bool bound = false;                             // else nothing can be said about any of them
  std::vector<std::vector<std::string>> members;  // of each binding's room, in order
};

class Rooms {
 public:
  // Keeps references to all of them.
  Rooms(Redis& redis, const Options& options, Registry& registry);

  // Creates the room when it is absent; an existing one is left alone, its TTL too.
  void create(std::string_view room, std::function<void(CreateResult)> done);
  void check(std::string_view room, std::function<void(CheckResult)> done);
  // Limit, existence, capacity, binding, time to live and the list of members in one step. The
  // order of the checks is that of the result's names.
  void join(const JoinRequest& request, std::function<void(JoinReply)> done);
  // Unbinds the socket if it is in that room; an emptied room gets its short time to live. This
  // node does not hear of it over the bus. The node of another one's socket hears kEvicted.
  void leave(std::string_view room, std::string_view socket, std::function<void(LeaveReply)> done);
  // Binds sockets of this node that are connected, whatever Redis knows of them and their rooms.
  void bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done);
  // Everyone in a room; nobody when Redis cannot say.
  void members(std::string_view room, std::function<void(std::vector<std::string>)> done);
  // The leave of a socket whose node has departed; for the one that cleans up. Only the departed
  // node is not told.
  void clean(std::string_view room, std::string_view socket, std::function<void(LeaveReply)> done);

 private:
  struct Leaver;
  void send_join(const JoinRequest& request, bool again, std::function<void(JoinReply)> done);
  void leave_registered(const std::string& room, const std::string& socket, bool again,
                        const std::function<void(LeaveReply)>& done);
  void send_leave(std::string_view room, std::string_view socket, const Leaver& leaver,
                  std::function<void(LeaveReply)> done);
  std::string binding_ttl() const;

  Redis& redis_;
  const Options& options_;
  Registry& registry_;
};

}  // namespace signalbox::store
