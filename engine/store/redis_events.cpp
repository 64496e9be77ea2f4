#include "engine/store/redis_events.h"

#include <hiredis/async.h>

#include <exception>

namespace signalbox::store {
namespace {

RedisEvents* self(void* data) {
  return static_cast<RedisEvents*>(data);
}

}  // namespace

RedisEvents::RedisEvents(Loop& loop, redisAsyncContext* context)
    : context_(context), poll_(loop, context->c.fd, [this](bool readable, bool writable) {
        handle(readable, writable);
      }) {}

RedisEvents::~RedisEvents() {
  *destroyed_ = true;
  context_->ev = {};  // hiredis 1.x lives on for a while after its cleanup
}

bool RedisEvents::attach(Loop& loop, redisAsyncContext* context) {
  RedisEvents* events = nullptr;
  try {
    events = new RedisEvents(loop, context);
  } catch (const std::exception&) {
    return false;
  }
  auto& ev = context->ev;
  ev.data = events;
  ev.addRead = [](void* data) { self(data)->wait_for(true, self(data)->write_); };
  ev.delRead = [](void* data) { self(data)->wait_for(false, self(data)->write_); };
  ev.addWrite = [](void* data) { self(data)->wait_for(self(data)->read_, true); };
  ev.delWrite = [](void* data) { self(data)->wait_for(self(data)->read_, false); };
  ev.cleanup = [](void* data) { delete self(data); };
  return true;
}

void RedisEvents::wait_for(bool read, bool write) {
  if (read == read_ && write == write_) return;
  read_ = read;
  write_ = write;
  // A refusal needs no answer here: what then never happens, a deadline finds.
  (void)poll_.watch(read, write);
}

void RedisEvents::handle(bool readable, bool writable) {
  const std::shared_ptr<bool> destroyed = destroyed_;
  // Both are reported after an error. While connecting either call finds and reports it.
  if (readable) redisAsyncHandleRead(context_);
  if (!*destroyed && writable) redisAsyncHandleWrite(context_);
}

}  // namespace signalbox::store
