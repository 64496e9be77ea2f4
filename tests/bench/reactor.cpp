#include "tests/bench/reactor.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace bench {
namespace {

constexpr size_t kScratch = 256 * 1024;
constexpr size_t kEvents = 512;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

uint64_t clock_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * kSecond + static_cast<uint64_t>(now.tv_nsec);
}

Reactor::Reactor()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), now_(clock_now()), scratch_(kScratch, '\0') {
  if (epoll_ < 0) fail("epoll_create1");
}

Reactor::~Reactor() {
  close(epoll_);
}

void Reactor::add(int fd, uint32_t events, Pollable& pollable) {
  epoll_event event{events, {&pollable}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void Reactor::change(int fd, uint32_t events, Pollable& pollable) {
  epoll_event event{events, {&pollable}};
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) fail("epoll_ctl");
}

void Reactor::remove(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void Reactor::turn(uint64_t timeout) {
  now_ = clock_now();
  if (!timers_.empty()) {
    const uint64_t first = timers_.begin()->first;
    timeout = std::min(timeout, first > now_ ? first - now_ : 0);
  }
  std::array<epoll_event, kEvents> events;
  const auto wait = static_cast<int>((timeout + kMillisecond - 1) / kMillisecond);
  const int count = epoll_wait(epoll_, events.data(), kEvents, wait);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  now_ = clock_now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
  }
  while (!timers_.empty() && timers_.begin()->first <= now_) {
    Timer& timer = *timers_.begin()->second;
    timer.stop();
    timer.due_();
  }
  while (!deferred_.empty()) {
    for (const auto& task : std::exchange(deferred_, {})) task();
  }
}

void Timer::start(uint64_t delay) {
  stop();
  at_ = reactor_.now() + std::max<uint64_t>(delay, 1);
  reactor_.timers_.emplace(at_, this);
}

void Timer::stop() {
  if (at_ != 0) reactor_.timers_.erase({at_, this});
  at_ = 0;
}

}  // namespace bench
