// Commands to Redis over one connection on the engine's loop: out in a pipeline, replies in order,
// a deadline for each. The connection is made again whenever it is lost.
//
// Thread: the loop's.
// Owner: the engine. Destroying it answers every pending command with kUnavailable, inside the
//   destructor; that may happen inside a command's own callback.
//
// hiredis is known to redis_connection.cpp and redis_events.cpp only. It writes without
// MSG_NOSIGNAL: the loop's thread must block SIGPIPE, or the process ignore it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/store/redis_reply.h"

namespace signalbox::store {

// A Lua script; `sha` is computed once, the text is sent when Redis does not know it. It must
// outlive the commands that use it (ours live as long as the program).
class Script {
 public:
  explicit Script(std::string_view text);
  const std::string& text() const { return text_; }
  const std::string& sha() const { return sha_; }

 private:
  std::string text_;
  std::string sha_;
};

class Redis {
 public:
  using Done = std::function<void(const Reply&)>;

  // Checks options.redis_url: redis://[[user]:password@]host[:port][/db], unix:///path[?db=n];
  // rediss:// is refused with a text that says why. Does not connect yet.
  static Status validate_url(const std::string& url);

  // `options.redis_url` must be valid.
  Redis(Loop& loop, const Log& log, const Options& options);
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  // Begins to connect, and goes on trying until destruction. Call it once.
  void connect();
  // Ends the connection and answers everything that waits with kUnavailable, inside this call; so
  // is whatever is sent afterwards. For an owner whose callbacks must not outlive their targets.
  void close();
  bool connected() const;
  // `on_state` is called on the loop at each change of connected(): when the connection was lost,
  // after what waited has been answered; when it was made, after what waited has been sent. It is
  // not called by close().
  void set_on_state(std::function<void(bool connected)> on_state);
  // host and port as configured; of a unix socket its path and 0.
  const std::string& host() const;
  int port() const;

  // Sends one command of binary-safe arguments. While a first connection is being made commands
  // wait for it; they are refused at once while Redis is known to be away, and when
  // redis.max_pending wait. Without an answer within redis.command_timeout the connection is given
  // up, with all that waits; so it is behind an error that says that this Redis does not serve
  // writes. `done` is called exactly once, never inside this call.
  void command(std::vector<std::string> arguments, Done done);

  // EVALSHA, and EVAL after NOSCRIPT, both within one redis.command_timeout.
  void script(const Script& script, std::vector<std::string> keys,
              std::vector<std::string> arguments, Done done);

  struct Health {
    bool connected = false;
    uint64_t pending = 0;     // commands without an answer
    uint64_t reconnects = 0;  // times a lost connection was made again
    uint64_t timeouts = 0;    // times a command's deadline passed
  };
  Health health() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared only to survive its own callbacks
};

}  // namespace signalbox::store
