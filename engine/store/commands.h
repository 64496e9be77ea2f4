// What the rest of the store needs of Redis: commands, scripts, and whether it is there. Redis
// (store/redis.h) is one server, RedisCluster (store/cluster_client.h) a Redis Cluster.
//
// Thread: the loop's.
// Owner: the engine. Destroying it answers every pending command with kUnavailable, inside the
//   destructor; that may happen inside a command's own callback.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
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

class Commands {
 public:
  using Done = std::function<void(const Reply&)>;

  Commands() = default;
  virtual ~Commands() = default;
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  // Begins to connect, and goes on trying until destruction. Call it once.
  virtual void connect() = 0;
  // Ends the connection and answers everything that waits with kUnavailable, inside this call; so
  // is whatever is sent afterwards. For an owner whose callbacks must not outlive their targets.
  virtual void close() = 0;
  virtual bool connected() const = 0;
  // `on_state` is called on the loop when connected() has changed, never inside a call of ours, and
  // not by close(). It may destroy this.
  virtual void set_on_state(std::function<void(bool connected)> on_state) = 0;
  // host and port as configured; of a unix socket its path and 0.
  virtual const std::string& host() const = 0;
  virtual int port() const = 0;

  // Of a cluster: a master that is there as far as we know, taken at random, for a connection of
  // somebody else's. What there is to choose else stays as it is.
  virtual void choose_node(std::string& host, int& port) = 0;

  // Sends one command of binary-safe arguments. In a cluster arguments[1] decides where: it must be
  // the key, all keys of the command must share its slot, and commands without a key and without
  // anything else there (PING) go to any master. While a first connection is being made commands
  // wait for it; they are refused at once while Redis is known to be away, and when
  // redis.max_pending wait. Without an answer within redis.command_timeout it is kUnavailable: the
  // command may have happened or not. `done` is called exactly once, never inside this call.
  virtual void command(std::vector<std::string> arguments, Done done) = 0;

  // The same with a script: EVALSHA, and EVAL after NOSCRIPT, within one deadline. In a cluster all
  // keys must share a slot, and there must be one.
  virtual void script(const Script& script, std::vector<std::string> keys,
                      std::vector<std::string> arguments, Done done) = 0;

  struct Health {
    bool connected = false;
    uint64_t pending = 0;     // commands without an answer
    uint64_t reconnects = 0;  // times a lost connection was made again
    uint64_t timeouts = 0;    // times a command's deadline passed
  };
  virtual Health health() const = 0;
};

// One Redis or a Redis Cluster, as the options (which must be valid, see validate_redis_options())
// want it. Does not connect yet. Keeps the references.
std::unique_ptr<Commands> make_redis(Loop& loop, Log& log, const Options& options,
                                     Counters& counters);

}  // namespace signalbox::store
