// Keeps one connection to Redis: finds out where it is (of a master, from the sentinels), connects,
// logs in, and does so again, with backoff and jitter, whenever that fails or the connection is
// lost. What is sent over it, and what becomes of that when it is lost, is its owner's (Redis,
// Subscription).
//
// Thread: the loop's.
// Owner: its listener. May be destroyed inside any call of the listener.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/resolver.h"
#include "engine/store/redis_connection.h"
#include "engine/store/redis_reply.h"
#include "engine/store/redis_tls.h"
#include "engine/store/redis_url.h"
#include "engine/store/sentinel.h"

namespace signalbox::store {

class RedisLink final : private RedisConnection::Listener {
 public:
  // Called on the loop, never inside a call of ours.
  class Listener {
   public:
    virtual void on_up() = 0;
    // A reply to the oldest command that has none yet, or a message of a subscribed channel.
    virtual void on_reply(const Reply& reply) = 0;
    // The connection was lost, or an attempt to make one has failed. The next one is due.
    virtual void on_down() = 0;

   protected:
    ~Listener() = default;
  };

  // The options must be valid (validate_redis_options()). `name` begins each line of the log and
  // must be a literal.
  RedisLink(Loop& loop, Log& log, const Options& options, const char* name, Listener& listener);

  // Before each attempt: may change the address. Before connect().
  using Choose = std::function<void(std::string& host, int& port)>;
  void set_choose(Choose choose) { choose_ = std::move(choose); }

  // Begins to connect, and goes on trying until destruction. Call it once.
  void connect();
  bool up() const { return up_; }

  // Sends one command of binary-safe arguments. Only while up. False when the connection is about
  // to be lost, which on_down tells.
  bool send(const std::vector<std::string>& arguments);

  // Gives the connection up, which must be up, and makes a new one after the backoff. on_down is
  // not called: the caller knows.
  void drop(const std::string& reason);

  // Ends it all; the listener is not called any more.
  void close();

  // As configured; of a unix socket its path and 0. Of a master that sentinels know: as they told
  // last, before that its name and 0.
  const std::string& host() const { return url_.host; }
  int port() const { return url_.port; }

 private:
  void attempt();
  void begin_attempt();
  void on_master(const Sentinel::Answer& answer);
  void ask_again();
  void stop_asking();
  void look_up();
  void try_next_address(const std::string& reason);
  bool open_next_address(std::string& reason);
  void fail(const std::string& reason);
  void try_again_later(const std::string& reason);
  std::string where() const;

  void on_ready() override;
  void on_reply(const Reply& reply) override;
  void on_lost(const std::string& reason) override;

  Loop& loop_;
  Log& log_;
  RedisUrl url_;
  Choose choose_;                       // may be empty
  std::unique_ptr<RedisTls> tls_;       // null: without, or it cannot be had
  std::unique_ptr<Sentinel> sentinel_;  // null: the address is configured
  const uint64_t connect_timeout_ms_;
  const uint64_t last_backoff_ms_;
  const char* const name_;
  Listener& listener_;

  bool up_ = false;
  uint64_t up_since_ms_ = 0;
  unsigned failures_ = 0;               // in a row
  std::vector<std::string> addresses_;  // of the attempt that is being made, those not yet tried
  Resolver resolver_;
  std::unique_ptr<RedisConnection> connection_;
  Timer attempt_timer_;
  Timer ask_again_timer_;  // while a master is being connected to
  std::minstd_rand jitter_{std::random_device{}()};
};

}  // namespace signalbox::store
