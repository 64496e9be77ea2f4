// What a host may hear of rooms, and decide about them.
//
// Thread: the loop's.
// Owner: a value; each member may be empty. Texts are valid during the call.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/core/log.h"
#include "engine/net/http.h"
#include "engine/socketio/socket.h"

namespace signalbox::signaling {

struct RoomObservers {
  std::function<void(const std::string& room)> created;
  std::function<void(const std::string& room, const std::string& socket)> joined;
  std::function<void(const std::string& room, const std::string& socket)> left;
  std::function<void(const std::string& room, const std::string& socket, const std::string& why)>
      refused;
};

// Observers that log each event at level debug and pass it on to `next`, which may be empty ones.
RoomObservers logging(Log& log, RoomObservers next);

// Why not, for the client; nothing: it may.
using Verdict = std::optional<std::string>;
using Decide = std::function<void(const Verdict& refusal)>;

struct RoomHooks : RoomObservers {
  // Whether a room may be created, or a socket may enter one; `decide` is called once, later,
  // unless the question is withdrawn. The result, never 0, is for `withdraw`. Empty: it may.
  std::function<uint64_t(const std::string& room, const net::Request& request, Decide decide)>
      creating;
  std::function<uint64_t(const std::string& room, const socketio::Socket& socket, Decide decide)>
      joining;
  // The answer is not wanted any more; nothing happens when it has been given.
  std::function<void(uint64_t question)> withdraw;
};

}  // namespace signalbox::signaling
