// Rooms in Redis: each operation one Lua script, one round trip, atomic. The key layout is written
// down in engine/store/README.md.
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

namespace signalbox {
struct Options;
}  // namespace signalbox

namespace signalbox::store {

class Redis;

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
  enum class Result { kLeft, kNotMember, kRoomAbsent, kUnavailable };
  Result result = Result::kUnavailable;
  std::vector<std::string> members;  // kLeft: who was in the room before, the leaver too
};

class Rooms {
 public:
  // Keeps references; both must outlive it.
  Rooms(Redis& redis, const Options& options);

  // Creates the room when it is absent; an existing one is left alone, its TTL too.
  void create(std::string_view room, std::function<void(CreateResult)> done);
  void check(std::string_view room, std::function<void(CheckResult)> done);
  // Limit, existence, capacity, binding, time to live and the list of members in one step. The
  // order of the checks is that of the result's names.
  void join(const JoinRequest& request, std::function<void(JoinReply)> done);
  // Unbinds the socket if it is in that room; an emptied room gets its short time to live.
  void leave(std::string_view room, std::string_view socket, std::function<void(LeaveReply)> done);

 private:
  Redis& redis_;
  const Options& options_;
};

}  // namespace signalbox::store
