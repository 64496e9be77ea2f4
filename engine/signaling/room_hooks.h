// What a host may hear of rooms, and decide about them.
//
// Thread: the loop's.
// Owner: a value; each member may be empty. Texts are valid during the call.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/net/client_address.h"
#include "engine/socketio/socket.h"

namespace signalbox::signaling {

// Why not, for the client; nothing: it may.
using Verdict = std::optional<std::string>;
using Decide = std::function<void(const Verdict& refusal)>;

struct RoomHooks {
  std::function<void(const std::string& room)> created;
  std::function<void(const std::string& room, const std::string& socket)> joined;
  std::function<void(const std::string& room, const std::string& socket)> left;
  std::function<void(const std::string& room, const std::string& socket, const std::string& why)>
      refused;

  // Whether a room may be created, or a socket may enter one; `decide` is called once, now or
  // later. Empty: it may.
  std::function<void(const std::string& room, const net::Address& client, Decide decide)> creating;
  std::function<void(const std::string& room, const socketio::Socket& socket, Decide decide)>
      joining;
};

}  // namespace signalbox::signaling
