// The event loop and the things that wait on it: descriptors, time, and work from other threads.
// It is a loop of its own, or rides on a libuv loop of the host's.
//
// Thread: a Loop belongs to the thread that runs it. Only post() and wake() may be called from
//   another thread, and only wake() from a signal handler. Poll, Timer and EndOfTurn belong to the
//   loop's thread.
// Owner: whoever creates a Poll, Timer or EndOfTurn; each may be destroyed inside its own callback,
//   and must be before its Loop. A Poll does not own its descriptor.
//
// This header and loop.cpp are the only places that know libuv.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace signalbox {

class Loop {
 public:
  // Throws std::runtime_error when the system refuses the loop its descriptors.
  Loop();
  // Rides on a uv_loop_t that the host runs, on the thread that calls this. What has been destroyed
  // here, the Loop too, leaves that loop in its next turn.
  explicit Loop(void* uv_loop);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Serves events until stop() is called. May be called again afterwards. Of a loop of its own
  // only.
  void run();

  // Makes run() return after the current turn.
  void stop();

  // Serves what is ready, waiting for it at most `timeout_ms` (-1: without bound). Of a loop of its
  // own only.
  void turn(int timeout_ms);

  // For a host that waits by itself between the turns: the descriptor to wait for, and how many
  // milliseconds at most (-1: without bound).
  int descriptor() const;
  int timeout_ms();

  // Queues `task` for the loop's thread; false after finish_tasks(). Any thread, and never runs the
  // task inside the call. Tasks run in the order of their posting. A task that is still queued when
  // the loop is destroyed is destroyed unrun.
  bool post(std::function<void()> task);

  // Runs the tasks that are queued and accepts no more.
  void finish_tasks();

  // Lets the host's loop end although this Loop still exists.
  void release();

  // Makes the loop call the wake handler soon; several wakes may become one call. Any thread, and
  // async-signal-safe.
  void wake();
  void set_wake_handler(std::function<void()> handler) { wake_handler_ = std::move(handler); }

  // Callbacks are called from C code, which an exception must not cross: one that leaves a callback
  // (std::bad_alloc, as a rule) ends here, is told to this handler, and the loop goes on.
  void set_exception_handler(std::function<void(const char* what)> handler) {
    exception_handler_ = std::move(handler);
  }

  // Calls `callback` under that rule; true when it returned. For other C code that calls us.
  template <typename Callback>
  bool guard(Callback&& callback) {
    try {
      callback();
      return true;
    } catch (const std::exception& error) {
      report(error.what());
    } catch (...) {
      report("unknown exception");
    }
    return false;
  }

  // Milliseconds of a monotonic clock, read once a turn.
  uint64_t now_ms() const;

  // How many times the loop has turned: what happens in one turn has one number.
  uint64_t turns() const { return turns_; }

  // The uv_loop_t behind this loop, for libraries that want to share it.
  void* native() const;

  // What everyone on that loop keeps with his polls (uv_handle_t::data), also with those that are
  // closing.
  std::vector<void*> poll_data() const;
  // Whether somebody keeps this with one. Needs no memory.
  bool has_poll(const void* data) const;

 private:
  friend class EndOfTurn;
  friend class Poll;
  friend class Timer;
  struct Native;
  void open();
  void drain();
  void report(const char* what) noexcept;

  Native* native_;  // deletes itself when its handles have closed
  std::atomic<std::thread::id> thread_;
  uint64_t turns_ = 0;
  std::function<void()> wake_handler_;
  std::function<void(const char*)> exception_handler_;
  std::mutex mutex_;  // guards what follows, the only state that threads share
  std::vector<std::function<void()>> tasks_;
  bool finished_ = false;
};

// Tells when a descriptor can be read or written. Level-triggered. An error or hang-up on the
// descriptor is reported as both readable and writable, so that the next read or write finds it.
class Poll {
 public:
  using Callback = std::function<void(bool readable, bool writable)>;
  Poll(Loop& loop, int fd, Callback callback);
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  // Replaces what is waited for; neither means pause. Returns false when the system refuses.
  bool watch(bool read, bool write);

 private:
  struct Handle;
  Handle* handle_;
};

// One deadline, started and stopped at will.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Calls back once, `delay_ms` from now; a running timer is moved.
  void start(uint64_t delay_ms);
  void stop();
  bool active() const;

 private:
  struct Handle;
  Handle* handle_;
};

// What waits until everything else of a turn has been done, so that it is done once for all of
// that.
class EndOfTurn {
 public:
  EndOfTurn(Loop& loop, std::function<void()> callback);
  ~EndOfTurn();
  EndOfTurn(const EndOfTurn&) = delete;
  EndOfTurn& operator=(const EndOfTurn&) = delete;

  // Calls back once, before the loop waits for events again.
  void start();

 private:
  struct Handle;
  Handle* handle_;
};

}  // namespace signalbox
