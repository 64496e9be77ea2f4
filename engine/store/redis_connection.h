// One connection to one address of Redis or of a sentinel, from the attempt to connect until it
// ends: logs in, makes sure that it is answered, then takes commands. It never reconnects;
// RedisLink does.
//
// Thread: the loop's.
// Owner: RedisLink, Sentinel. May be destroyed inside any call of its listener.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/loop.h"
#include "engine/core/status.h"
#include "engine/store/redis_reply.h"
#include "engine/store/redis_tls.h"
#include "engine/store/redis_url.h"

struct redisAsyncContext;

namespace signalbox::store {

class RedisConnection {
 public:
  static constexpr const char* kNoMemory = "out of memory";  // a reason of on_lost()

  // Called on the loop, never inside open() or send().
  class Listener {
   public:
    virtual void on_ready() = 0;
    // The reply to the oldest command that has none yet, or a message of a subscribed channel.
    virtual void on_reply(const Reply& reply) = 0;
    // Refused, timed out, turned away or closed. Commands without a reply will get none.
    virtual void on_lost(const std::string& reason) = 0;

   protected:
    ~Listener() = default;
  };

  // A replica that takes us for its master's client would refuse each write.
  enum class Role { kAny, kMaster };

  // `url` is kept as a reference, and so is `tls`, which is null without TLS, or when it cannot be
  // had. From open() Redis has `timeout_ms` to become ready.
  RedisConnection(Loop& loop, const RedisUrl& url, const RedisTls* tls, Role role,
                  uint64_t timeout_ms, Listener& listener);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Begins to connect. `address` is numeric, or the path of a unix socket. kUnavailable when that
  // fails at once; the listener is then not called.
  Status open(const std::string& address);

  // Sends one command. Only after on_ready. False when the connection is about to be lost.
  bool send(const std::vector<std::string>& arguments);

 private:
  void log_in();
  void on_login_reply(std::string_view command, const Reply& reply);
  void give_up();
  void lose(const std::string& reason);

  Loop& loop_;
  const RedisUrl& url_;
  const RedisTls* const tls_;
  const Role role_;
  const uint64_t timeout_ms_;
  Listener& listener_;
  Timer timer_;
  bool ready_ = false;
  // The commands of the login that were sent and not answered yet.
  std::vector<std::string> login_;
  redisAsyncContext* context_ = nullptr;
  RedisTls::Session session_;  // null: without TLS

  friend struct RedisCallbacks;  // what hiredis calls, in redis_connection.cpp
};

}  // namespace signalbox::store
