#include "engine/core/loop.h"

#include <uv.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace signalbox {

struct Loop::Native {
  uv_loop_t loop;
  uv_async_t async;
};

Loop::Loop() : native_(std::make_unique<Native>()), uv_(&native_->loop) {
  int rc = uv_loop_init(&native_->loop);
  if (rc != 0) throw std::runtime_error(std::string("event loop: ") + uv_strerror(rc));
  rc = uv_async_init(&native_->loop, &native_->async,
                     [](uv_async_t* async) { static_cast<Loop*>(async->data)->drain(); });
  if (rc != 0) {
    uv_loop_close(&native_->loop);
    throw std::runtime_error(std::string("event loop: ") + uv_strerror(rc));
  }
  native_->async.data = this;
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&native_->async), nullptr);
  // Handles close in the turn after uv_close: run until the last one has.
  while (uv_loop_close(&native_->loop) == UV_EBUSY) uv_run(&native_->loop, UV_RUN_ONCE);
}

void Loop::run() {
  uv_run(&native_->loop, UV_RUN_DEFAULT);
}

void Loop::stop() {
  uv_stop(&native_->loop);
}

void Loop::run_once() {
  uv_run(&native_->loop, UV_RUN_NOWAIT);
}

void Loop::post(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  uv_async_send(&native_->async);
}

void Loop::wake() {
  uv_async_send(&native_->async);
}

uint64_t Loop::now_ms() const {
  return uv_now(&native_->loop);
}

void Loop::drain() {
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) guard(task);
  if (wake_handler_) guard(wake_handler_);
}

void Loop::report(const char* what) noexcept {
  try {
    if (exception_handler_) exception_handler_(what);
  } catch (...) {  // not even the report could be made
  }
}

// The handles outlive their owners by a turn: libuv frees them in the close callback. `owner` being
// gone is told by an empty callback.
struct Poll::Handle {
  Loop& loop;
  uv_poll_t poll;
  Callback callback;
};

Poll::Poll(Loop& loop, int fd, Callback callback)
    : handle_(new Handle{loop, {}, std::move(callback)}) {
  int rc = uv_poll_init(&loop.native_->loop, &handle_->poll, fd);
  if (rc != 0) {
    delete handle_;
    throw std::runtime_error(std::string("watching a descriptor: ") + uv_strerror(rc));
  }
  handle_->poll.data = handle_;
}

Poll::~Poll() {
  uv_poll_stop(&handle_->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

bool Poll::watch(bool read, bool write) {
  int events = (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0);
  if (events == 0) return uv_poll_stop(&handle_->poll) == 0;
  return uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int ready) {
           // libuv stops the handle on an error; the owner must still hear of it.
           bool failed = status < 0;
           auto* self = static_cast<Handle*>(poll->data);
           self->loop.guard([&] {
             self->callback(failed || (ready & UV_READABLE) != 0,
                            failed || (ready & UV_WRITABLE) != 0);
           });
         }) == 0;
}

struct Timer::Handle {
  Loop& loop;
  uv_timer_t timer;
  std::function<void()> callback;
};

Timer::Timer(Loop& loop, std::function<void()> callback)
    : handle_(new Handle{loop, {}, std::move(callback)}) {
  uv_timer_init(&loop.native_->loop, &handle_->timer);
  handle_->timer.data = handle_;
}

Timer::~Timer() {
  uv_timer_stop(&handle_->timer);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->timer),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

void Timer::start(uint64_t delay_ms) {
  uv_timer_start(
      &handle_->timer,
      [](uv_timer_t* timer) {
        auto* self = static_cast<Handle*>(timer->data);
        self->loop.guard(self->callback);
      },
      delay_ms, 0);
}

void Timer::stop() {
  uv_timer_stop(&handle_->timer);
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_->timer)) != 0;
}

}  // namespace signalbox
