// What happens to the floors in the session fuzzer. Each line of an input is one event:
//
//   h0 p0 b0... c0... f0   client 0: handshake, poll, POST; a POST that begins, and ends
//   w0 u0 t0... y0... x0   a WebSocket of its own, or as upgrade; text, bytes; it is gone
//   q0 a0                  stops reading, or goes on; gives up its requests
//   e0... E0...            asks with this query; the same for an upgrade
//   g0/path G0/path {}     the HTTP API: GET, POST
//   r...                   the oldest command gets this reply (redis_text.h)
//   z m... M...            Redis goes or comes; a message of another node, in fields or in bytes
//   s5 l                   time passes; who waits is let in to /echo
//   k d                    all sessions are closed; the server takes leave of them
//
// "$1" stands for the Socket.IO id of client 1.
//
// Thread: the fuzzer's only one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/session_client.h"
#include "tests/fuzz/session_floors.h"
#include "tests/fuzz/session_redis.h"

namespace fuzz {

class SessionPlay {
 public:
  SessionPlay();

  // One event, and the turn of the loop that follows; checks that all bounds hold.
  void event(std::string_view line);

  // Everyone goes, and time passes: checks that nothing is left.
  void end();

 private:
  void happen(char what, std::string_view rest);
  void of_client(char what, SessionClient& client, std::string_view rest);
  std::string expanded(std::string_view line) const;
  std::string message(std::string_view text);
  void drain();
  void pass(char how_long);
  void turn();

  Floors floors_;
  FakeRedis& redis_ = FakeRedis::get();
  std::array<SessionClient, 4> clients_;
  uint64_t messages_ = 0;
  bool drains_ = false;
};

}  // namespace fuzz
