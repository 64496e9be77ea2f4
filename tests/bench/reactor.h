// What everything here waits with: epoll, and timers.
//
// Thread: the only one.
// Owner: main(); it outlives all that refers to it.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bench {

constexpr uint64_t kMicrosecond = 1000;
constexpr uint64_t kMillisecond = 1000 * kMicrosecond;
constexpr uint64_t kSecond = 1000 * kMillisecond;

// Monotonic, in ns.
uint64_t clock_now();

class Pollable {
 public:
  // `events` are epoll's. May come once more, in the same turn, after the descriptor was removed.
  virtual void on_ready(uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

class Timer;

class Reactor {
 public:
  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  void add(int fd, uint32_t events, Pollable& pollable);
  void change(int fd, uint32_t events, Pollable& pollable);
  void remove(int fd);

  // Calls `task` at the end of this turn: the place to destroy what is still being called.
  void defer(std::function<void()> task) { deferred_.push_back(std::move(task)); }

  // Waits for events, `timeout` ns at most, and serves them.
  void turn(uint64_t timeout);

  // When this turn began.
  uint64_t now() const { return now_; }

  // Where a connection receives what it does not keep.
  std::string& scratch() { return scratch_; }

 private:
  friend class Timer;

  int epoll_;
  uint64_t now_;
  std::set<std::pair<uint64_t, Timer*>> timers_;
  std::vector<std::function<void()>> deferred_;
  std::string scratch_;
};

class Timer {
 public:
  Timer(Reactor& reactor, std::function<void()> due) : reactor_(reactor), due_(std::move(due)) {}
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Due in `delay` ns, once; what was set before is forgotten.
  void start(uint64_t delay);
  void stop();

 private:
  friend class Reactor;

  Reactor& reactor_;
  std::function<void()> due_;
  uint64_t at_ = 0;  // 0: not set
};

}  // namespace bench
