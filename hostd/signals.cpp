#include "hostd/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace hostd {
namespace {

Descriptor checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return Descriptor(fd);
}

}  // namespace

Signals::Signals() : stopped_(checked(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE), "eventfd")) {
  sigset_t taken;
  sigemptyset(&taken);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&taken, number);
  sigprocmask(SIG_BLOCK, &taken, nullptr);
  signals_ = checked(signalfd(-1, &taken, SFD_CLOEXEC), "signalfd");
  signal(SIGPIPE, SIG_IGN);
}

void Signals::beat(std::chrono::microseconds apart) {
  beat_ = checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(apart);
  const timespec time{seconds.count(), std::chrono::nanoseconds(apart - seconds).count()};
  const itimerspec beats{time, time};
  if (timerfd_settime(beat_.get(), 0, &beats, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "timerfd");
  }
}

Signals::Event Signals::wait(int redis_end) {
  std::array<pollfd, 4> waited = {{{signals_.get(), POLLIN, 0},
                                   {stopped_.get(), POLLIN, 0},
                                   {redis_end, POLLIN, 0},
                                   {beat_.get(), POLLIN, 0}}};
  while (poll(waited.data(), waited.size(), -1) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
  }
  if (waited[1].revents != 0) {
    uint64_t one = 0;
    [[maybe_unused]] ssize_t size = read(stopped_.get(), &one, sizeof one);
    return Event::kEngineStopped;
  }
  if (waited[0].revents != 0) {
    signalfd_siginfo info{};
    [[maybe_unused]] ssize_t size = read(signals_.get(), &info, sizeof info);
    return info.ssi_signo == SIGHUP ? Event::kReloadRequested : Event::kEndRequested;
  }
  if (waited[2].revents != 0) return Event::kRedisEnded;
  uint64_t beats = 0;
  [[maybe_unused]] ssize_t size = read(beat_.get(), &beats, sizeof beats);
  return Event::kBeat;
}

void Signals::engine_stopped() {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t size = write(stopped_.get(), &one, sizeof one);
}

}  // namespace hostd
