// The channels of Redis that an engine listens to, over a connection of their own: it outlives the
// loss of that connection, channels and all, but not what was published meanwhile.
//
// Thread: the loop's.
// Owner: the engine. May be destroyed inside its callbacks.
//
// A connection that only listens never notices that Redis has gone silent: its owner finds that out
// (by a message to itself, say) and calls restart().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"

namespace signalbox::store {

class Subscription {
 public:
  // Both may hold any bytes, and live as long as the call.
  using OnMessage = std::function<void(std::string_view channel, std::string_view payload)>;
  // True once after each (re)connection: when each wanted channel is confirmed, from when on no
  // message is missed. False when that connection is lost.
  using OnState = std::function<void(bool ready)>;

  // The options must be valid (validate_redis_options()). The callbacks are called on the loop.
  Subscription(Loop& loop, Log& log, const Options& options, OnMessage on_message,
               OnState on_state);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Where to listen, asked before each attempt to connect: may change the address, of which
  // redis.url is the first. Before connect().
  void set_choose(std::function<void(std::string& host, int& port)> choose);

  // Begins to connect, and goes on trying until close(). Call it once.
  void connect();
  // Ends the connection; no callback is called any more.
  void close();

  // Wants a channel, whatever becomes of the connection, until unsubscribe(), from when on none of
  // its messages is delivered. Of one that is wanted already, or was not, nothing changes.
  void subscribe(const std::string& channel);
  void unsubscribe(const std::string& channel);

  // Connected, and each wanted channel confirmed.
  bool ready() const;

  // Where it listens, or tries to.
  const std::string& host() const;
  int port() const;

  // Gives the connection up, if there is one, and makes a new one; tells on_state inside this call.
  void restart(const std::string& reason);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared only to survive its own callbacks
};

}  // namespace signalbox::store
