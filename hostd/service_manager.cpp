#include "hostd/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <ctime>
#include <stdexcept>

namespace hostd {
namespace {

// A manager that cannot be reached is not there: sd_notify's errors tell nothing else.
void tell(const std::string& state) {
  sd_notify(0, state.c_str());
}

constexpr int kTakeFromEnvironment = 1;  // so that redis-server does not think that it is meant

}  // namespace

int passed_listener() {
  const int count = sd_listen_fds(kTakeFromEnvironment);
  if (count > 1) {
    throw std::runtime_error(std::to_string(count) +
                             " sockets were passed (LISTEN_FDS); one is allowed");
  }
  return count == 1 ? SD_LISTEN_FDS_START : -1;
}

std::chrono::microseconds watchdog_timeout() {
  uint64_t timeout_us = 0;
  const bool wanted = sd_watchdog_enabled(kTakeFromEnvironment, &timeout_us) > 0;
  return std::chrono::microseconds(wanted ? timeout_us : 0);
}

void tell_ready(const std::string& status) {
  tell("READY=1\nSTATUS=" + status);
}

void tell_reloading() {
  // With this time systemd knows to which reload it belongs (Type=notify-reload).
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t now_us = int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

void tell_stopping(std::chrono::milliseconds most) {
  tell("STOPPING=1\nSTATUS=sends its clients away\nEXTEND_TIMEOUT_USEC=" +
       std::to_string(std::chrono::microseconds(most).count()));
}

void tell_alive() {
  tell("WATCHDOG=1");
}

}  // namespace hostd
