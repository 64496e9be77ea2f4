// Which sockets of other nodes are in the rooms that this node has sockets in. Redis has the truth;
// this is the part of it that lets relays and events find their way without a look-up.
//
// A node learns it from answers, which list everyone in a room, and from news of one socket. They
// come over two connections and have no common order, but each bears the time of Redis at which it
// was so, its stamp. News older than what is known already must not undo it: it is late.
//
// That is so while Redis's clock only goes on. It may be put back, and after a failover it is
// another one's: then even what is new seems to be late, and must not be lost for good. Therefore
// who finds news late has this node check (store/reconciler.h), and what an answer says counts in
// any case: its stamp takes the place of the one before, be that earlier or later.
//
// Messages of a node of the same process come past Redis (store/siblings.h), and may be here before
// the news of what their sender did before: is_settled() tells.
//
// Thread: the loop's.
// Owner: Members.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox::signaling {

class Elsewhere {
 public:
  // This node has sockets in the room, or none any more. Of other rooms nothing is kept.
  void open(const std::string& room) { rooms_.try_emplace(room); }
  void close(std::string_view room);

  // An answer about the room of that time has come; learn() is for each of its members.
  void answered(std::string_view room, uint64_t stamp);
  // The socket was there at that time. False when it is known already, or the room is not open.
  bool learn(std::string_view room, std::string_view socket, uint64_t stamp);
  // There are no more news to come of what was in the room until then.
  void settle(std::string_view room, uint64_t stamp);
  // False while news of what was in the room then may be still to come.
  bool is_settled(std::string_view room, uint64_t stamp) const;
  // False when it is not known.
  bool forget(std::string_view room, std::string_view socket);

  bool knows(std::string_view room, std::string_view socket) const;
  // Whether news of that time is older than when the socket was last known to be there, or, if it
  // is not known, than the last answer.
  bool is_late(std::string_view room, std::string_view socket, uint64_t stamp) const;

  // The sockets in a room, in no order, and the ids of their nodes, each once. Valid until
  // something changes.
  std::vector<std::string_view> in(std::string_view room) const;
  std::vector<std::string_view> nodes(std::string_view room) const;

 private:
  struct Peer {
    std::string socket;
    uint64_t stamp;
  };
  struct Room {
    uint64_t answered = 0;
    uint64_t settled = 0;
    std::vector<Peer> peers;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::unordered_map<std::string, Room, Hash, std::equal_to<>> rooms_;
};

// The ids of the nodes that sockets are connected to, each once.
std::vector<std::string_view> nodes_of(std::span<const std::string_view> sockets);

}  // namespace signalbox::signaling
