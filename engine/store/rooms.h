// Rooms in Redis: AtomicRooms on one Redis, SplitRooms on a Redis Cluster. What changes a room's
// members also tells the other nodes that have some of them, in the same step: kJoined, kRejoined,
// kLeft or kEvicted (envelope.h). What it tells, and what it answers, bears the same stamp. The key
// layout is written down in engine/store/README.md.
//
// All but create and check need this node to be registered; commands that come late, from an
// earlier registration, have no effect.
//
// Thread: the loop's. Each operation returns at once and calls back exactly once, on the loop,
//   later or (when it cannot even be sent) in a later turn; never inside the call.
// Owner: the engine. Destroying it answers what is pending with kUnavailable first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/limits.h"
#include "engine/store/registry.h"

namespace signalbox::store {

// kUnavailable: Redis is away, slow or refuses; whether the operation happened is unknown.
enum class CreateResult { kCreated, kExists, kLimited, kUnavailable };
enum class CheckResult { kAbsent, kPresent, kLimited, kUnavailable };

struct CreateRequest {
  std::string room;
  std::string who = {};     // the address whose limits count it; empty: not limited
  bool named = true;        // by the client, who may be guessing
  std::string secret = {};  // what to join it takes; empty: nothing
  int64_t capacity = 0;     // most sockets, within the limit of all rooms; 0: no other limit
};

struct CreateReply {
  CreateResult result = CreateResult::kUnavailable;
  Refusal refusal;  // kLimited
};

struct CheckReply {
  CheckResult result = CheckResult::kUnavailable;
  Refusal refusal;  // kLimited
};

struct JoinRequest {
  std::string room;
  std::string socket;
  std::string who = {};     // the address whose limits count it; empty: not limited
  bool again = false;       // is in that room already, or may be without our having heard
  std::string secret = {};  // of a room that was created with one
};

struct JoinReply {
  enum class Result {
    kJoined,
    kBoundElsewhere,
    kLimited,
    kRoomAbsent,
    kSecretWrong,
    kRoomFull,
    kUnavailable
  };
  Result result = Result::kUnavailable;
  bool rejoined = false;             // kJoined: was in it already
  std::vector<std::string> members;  // kJoined: everyone in the room, the joiner too
  uint64_t stamp = 0;                // kJoined: when that was so, µs of Redis's clock
  Refusal refusal;                   // kLimited
  std::string error;                 // kUnavailable: a text for the client, without secrets
};

struct LeaveReply {
  // kLost: this node is not registered, or must not clean up (any more).
  enum class Result { kLeft, kNotMember, kRoomAbsent, kLimited, kLost, kUnavailable };
  Result result = Result::kUnavailable;
  std::vector<std::string> members;  // kLeft: who was in the room before, the leaver too
  Refusal refusal;                   // kLimited
};

struct Binding {
  std::string room;
  std::string socket;
};

struct BindReply {
  bool bound = false;                             // else nothing can be said about any of them
  std::vector<bool> was_bound;                    // of each: Redis had it already
  std::vector<std::vector<std::string>> members;  // of each binding's room, in order
  std::vector<uint64_t> stamps;                   // of each: when that was so, as above
};

// A node that this one cleans up after, and the token of its registration, which is over.
struct Departed {
  std::string node;
  std::string token;
};

class Commands;

class Rooms {
 public:
  virtual ~Rooms() = default;

  // Creates the room when it is absent; an existing one is left alone: its TTL, its secret and its
  // capacity, too.
  virtual void create(const CreateRequest& request, std::function<void(CreateReply)> done) = 0;
  // `who` asks: see CreateRequest.
  virtual void check(std::string_view room, std::string_view who,
                     std::function<void(CheckReply)> done) = 0;
  // Limits, existence, secret, capacity, binding, time to live and the list of members. The order
  // of the checks is that of the result's names.
  virtual void join(const JoinRequest& request, std::function<void(JoinReply)> done) = 0;
  // Unbinds the socket if it is in that room; an emptied room gets its short time to live. Of a
  // socket of its own this node does not hear over the bus; of another one's all hear kEvicted.
  // `who` asks, and has guessed when that socket is not in that room: see CreateRequest.
  virtual void leave(std::string_view room, std::string_view socket, std::string_view who,
                     std::function<void(LeaveReply)> done) = 0;
  // Binds sockets of this node that are connected, whatever Redis knows of them and their rooms.
  virtual void bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done) = 0;
  // Everyone in a room; nobody when Redis cannot say.
  virtual void members(std::string_view room,
                       std::function<void(std::vector<std::string>)> done) = 0;

  // --- For the cleaner ---

  // Sets the index of a departed node aside, unless what was set aside before has not been dealt
  // with yet. Tells how many sockets are set aside; less than 0: unknown, or the claim does not
  // hold.
  virtual void set_aside(const Departed& departed, std::function<void(int64_t count)> done) = 0;
  // The leave of a socket whose node has departed. Only that node is not told.
  virtual void clean(const Departed& departed, std::string_view room, std::string_view socket,
                     std::function<void(LeaveReply)> done) = 0;
};

// As the options want them. Keeps references to all of them.
std::unique_ptr<Rooms> make_rooms(Commands& redis, const Options& options, Registry& registry);

}  // namespace signalbox::store
