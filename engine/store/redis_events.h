// Lets a hiredis connection wait on our loop. hiredis 0.14's own adapter for libuv drops errors, so
// that a refused connection is never heard of.
//
// Thread: the loop's.
// Owner: hiredis, which destroys it with the connection.
#pragma once

#include <memory>

#include "engine/core/loop.h"

struct redisAsyncContext;

namespace signalbox::store {

class RedisEvents {
 public:
  // Makes `context`, which has a descriptor and no events yet, wait on `loop`. False when the
  // system refuses to watch the descriptor.
  static bool attach(Loop& loop, redisAsyncContext* context);

  RedisEvents(const RedisEvents&) = delete;
  RedisEvents& operator=(const RedisEvents&) = delete;

 private:
  RedisEvents(Loop& loop, redisAsyncContext* context);
  ~RedisEvents();
  void wait_for(bool read, bool write);
  void want_write();
  void flush();
  void handle(bool readable, bool writable);

  redisAsyncContext* context_;
  Poll poll_;
  bool read_ = false;
  bool write_ = false;
  EndOfTurn end_of_turn_;
  bool flushing_ = false;
  // Outlives us, so that handle() can tell.
  std::shared_ptr<bool> destroyed_ = std::make_shared<bool>(false);
};

}  // namespace signalbox::store
