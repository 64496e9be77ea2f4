// The events that we have sent and that wait for an acknowledgement.
//
// Thread: the loop's.
// Owner: the Server. Its keys are sockets that it does not own: drop() them before they go.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/core/loop.h"

namespace signalbox::socketio {

class Socket;

// What became of an event that asked for an acknowledgement. The texts are valid during the call.
struct AckOutcome {
  enum class Kind { kAnswered, kTimedOut, kGone };
  Kind kind;
  std::string_view arguments = "[]";  // a JSON array
  std::span<const std::string> attachments = {};
};
using AckHandler = std::function<void(const AckOutcome& outcome)>;

class Acks {
 public:
  explicit Acks(Loop& loop);

  // Begins to wait; the result is the id to send. `handler` is called once, never inside this call.
  uint64_t add(const Socket& socket, uint64_t timeout_ms, AckHandler handler);

  // The answer of a client. False when this socket has nothing to answer under that id (any more).
  bool answer(const Socket& socket, uint64_t id, const AckOutcome& outcome);

  // The socket is gone: everything that waits for it is told so.
  void drop(const Socket& socket);
  // The same, but nothing is told.
  void forget(const Socket& socket);

 private:
  using Key = std::pair<const Socket*, uint64_t>;
  struct Waiting {
    uint64_t due_ms;
    AckHandler handler;
  };
  void finish(std::map<Key, Waiting>::iterator at, const AckOutcome& outcome);
  void expire();

  Loop& loop_;
  Timer timer_;  // for the first of due_, or earlier
  uint64_t next_id_ = 0;
  std::map<Key, Waiting> waiting_;
  std::set<std::pair<uint64_t, Key>> due_;  // by time
};

}  // namespace signalbox::socketio
