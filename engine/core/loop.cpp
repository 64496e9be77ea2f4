#include "engine/core/loop.h"

#include <uv.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace signalbox {

namespace {

void check(int rc) {
  if (rc != 0) throw std::runtime_error(std::string("event loop: ") + uv_strerror(rc));
}

}  // namespace

struct Loop::Native {
  uv_loop_t own;
  uv_loop_t* loop;        // the own one, or the host's
  uv_async_t async;       // another thread has posted a task, or woken us
  uv_idle_t posted_here;  // while tasks of the loop's own thread wait: the loop does not
  uv_prepare_t turn;      // counts turns
  uv_timer_t wait;        // the bound of a turn()
  int handles = 0;        // of the four, those that are not closed

  bool rides() const { return loop != &own; }
};

Loop::Loop() : native_(new Native) {
  native_->loop = &native_->own;
  try {
    check(uv_loop_init(&native_->own));
    open();
  } catch (...) {
    delete native_;
    throw;
  }
}

Loop::Loop(void* uv_loop) : native_(new Native) {
  native_->loop = static_cast<uv_loop_t*>(uv_loop);
  try {
    open();
  } catch (...) {
    delete native_;
    throw;
  }
  thread_ = std::this_thread::get_id();
  uv_update_time(native_->loop);
}

void Loop::open() {
  const int rc = uv_async_init(native_->loop, &native_->async, [](uv_async_t* async) {
    auto* self = static_cast<Loop*>(async->data);
    self->drain();
    if (self->wake_handler_) self->guard(self->wake_handler_);
  });
  if (rc != 0 && !native_->rides()) uv_loop_close(&native_->own);
  check(rc);
  uv_idle_init(native_->loop, &native_->posted_here);
  uv_prepare_init(native_->loop, &native_->turn);
  uv_prepare_start(&native_->turn,
                   [](uv_prepare_t* prepare) { ++static_cast<Loop*>(prepare->data)->turns_; });
  uv_unref(reinterpret_cast<uv_handle_t*>(&native_->turn));
  uv_timer_init(native_->loop, &native_->wait);
  native_->async.data = native_->posted_here.data = native_->turn.data = this;
  native_->handles = 4;
}

Loop::~Loop() {
  Native* native = native_;
  for (void* handle : {static_cast<void*>(&native->async), static_cast<void*>(&native->posted_here),
                       static_cast<void*>(&native->turn), static_cast<void*>(&native->wait)}) {
    auto* closing = static_cast<uv_handle_t*>(handle);
    closing->data = native;
    uv_close(closing, [](uv_handle_t* closed) {
      auto* whole = static_cast<Native*>(closed->data);
      if (--whole->handles == 0 && whole->rides()) delete whole;
    });
  }
  if (native->rides()) return;
  // Handles close in the turn after uv_close: run until the last one has.
  while (uv_loop_close(&native->own) == UV_EBUSY) uv_run(&native->own, UV_RUN_ONCE);
  delete native;
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  uv_run(native_->loop, UV_RUN_DEFAULT);
}

void Loop::stop() {
  uv_stop(native_->loop);
}

void Loop::turn(int timeout_ms) {
  thread_ = std::this_thread::get_id();
  if (timeout_ms > 0) {
    uv_update_time(native_->loop);
    uv_timer_start(
        &native_->wait, [](uv_timer_t*) {}, static_cast<uint64_t>(timeout_ms), 0);
  }
  uv_run(native_->loop, timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
  uv_timer_stop(&native_->wait);
  drain();  // what the last callbacks have posted: the host may wait elsewhere now
}

int Loop::descriptor() const {
  return uv_backend_fd(native_->loop);
}

int Loop::timeout_ms() {
  uv_update_time(native_->loop);
  return uv_backend_timeout(native_->loop);
}

bool Loop::post(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return false;
    tasks_.push_back(std::move(task));
  }
  if (thread_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    // No system call: the tasks run before the loop next waits.
    uv_idle_start(&native_->posted_here,
                  [](uv_idle_t* idle) { static_cast<Loop*>(idle->data)->drain(); });
  } else {
    uv_async_send(&native_->async);
  }
  return true;
}

void Loop::finish_tasks() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    finished_ = true;
  }
  drain();
}

void Loop::release() {
  uv_unref(reinterpret_cast<uv_handle_t*>(&native_->async));
}

void Loop::wake() {
  uv_async_send(&native_->async);
}

uint64_t Loop::now_ms() const {
  return uv_now(native_->loop);
}

void* Loop::native() const {
  return native_->loop;
}

// Nothing may be thrown through uv_walk: there is room before it begins.
std::vector<void*> Loop::poll_data() const {
  const auto count = [](uv_handle_t* /*handle*/, void* to) { ++*static_cast<size_t*>(to); };
  size_t handles = 0;
  uv_walk(native_->loop, count, &handles);
  std::vector<void*> data;
  data.reserve(handles);
  const auto collect = [](uv_handle_t* handle, void* to) {
    if (handle->type == UV_POLL) static_cast<std::vector<void*>*>(to)->push_back(handle->data);
  };
  uv_walk(native_->loop, collect, &data);
  return data;
}

bool Loop::has_poll(const void* data) const {
  struct Search {
    const void* data;
    bool found;
  } search = {data, false};
  const auto look = [](uv_handle_t* handle, void* to) {
    auto& wanted = *static_cast<Search*>(to);
    if (handle->type == UV_POLL && handle->data == wanted.data) wanted.found = true;
  };
  uv_walk(native_->loop, look, &search);
  return search.found;
}

// One round: what is posted meanwhile comes next turn, so that a flood of tasks starves nobody.
void Loop::drain() {
  uv_idle_stop(&native_->posted_here);
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) guard(task);
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
  int rc = uv_poll_init(loop.native_->loop, &handle_->poll, fd);
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
  uv_timer_init(loop.native_->loop, &handle_->timer);
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

struct EndOfTurn::Handle {
  Loop& loop;
  uv_prepare_t prepare;
  std::function<void()> callback;
};

EndOfTurn::EndOfTurn(Loop& loop, std::function<void()> callback)
    : handle_(new Handle{loop, {}, std::move(callback)}) {
  uv_prepare_init(loop.native_->loop, &handle_->prepare);
  handle_->prepare.data = handle_;
}

EndOfTurn::~EndOfTurn() {
  uv_prepare_stop(&handle_->prepare);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->prepare),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

void EndOfTurn::start() {
  uv_prepare_start(&handle_->prepare, [](uv_prepare_t* prepare) {
    uv_prepare_stop(prepare);
    auto* self = static_cast<Handle*>(prepare->data);
    self->loop.guard(self->callback);
  });
}

}  // namespace signalbox
