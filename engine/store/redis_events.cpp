#include "engine/store/redis_events.h"

extern "C" {  // it does not say so itself, and the next headers include it
#include <hiredis/sds.h>
}

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <unistd.h>

#include <exception>

namespace signalbox::store {
namespace {

RedisEvents* self(void* data) {
  return static_cast<RedisEvents*>(data);
}

// hiredis before 1.0 takes a new buffer when it has written all of the old one, and does not
// survive that there is no memory for it. Errors are left for it to find.
void write_ahead([[maybe_unused]] redisContext& context) {
#if HIREDIS_MAJOR < 1
  const size_t length = sdslen(context.obuf);
  if ((context.flags & REDIS_CONNECTED) == 0 || length == 0) return;
  const ssize_t written = ::write(context.fd, context.obuf, length);
  if (written == static_cast<ssize_t>(length)) {
    sdsclear(context.obuf);
  } else if (written > 0) {
    sdsrange(context.obuf, static_cast<int>(written), -1);
  }
#endif
}

}  // namespace

RedisEvents::RedisEvents(Loop& loop, redisAsyncContext* context)
    : context_(context),
      poll_(loop, context->c.fd,
            [this](bool readable, bool writable) { handle(readable, writable); }),
      end_of_turn_(loop, [this] { flush(); }) {}

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
  ev.addWrite = [](void* data) { self(data)->want_write(); };
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

// What a turn has to say goes out at its end, in one write: the system nearly always takes it, and
// no event is spent on asking whether it would.
void RedisEvents::want_write() {
  const bool connected = (context_->c.flags & REDIS_CONNECTED) != 0;
  if (connected && !write_ && !flushing_) {
    end_of_turn_.start();
  } else {
    wait_for(read_, true);
  }
}

void RedisEvents::flush() {
  const std::shared_ptr<bool> destroyed = destroyed_;
  flushing_ = true;
  handle(false, true);
  if (!*destroyed) flushing_ = false;
}

void RedisEvents::handle(bool readable, bool writable) {
  const std::shared_ptr<bool> destroyed = destroyed_;
  // Both are reported after an error. While connecting either call finds and reports it.
  if (readable) redisAsyncHandleRead(context_);
  if (*destroyed || !writable) return;
  write_ahead(context_->c);
  redisAsyncHandleWrite(context_);
}

}  // namespace signalbox::store
