// What hostd and a service manager that speaks systemd's protocols tell each other:
// sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3). Where hostd was started by nothing of
// that kind, nothing of this has an effect.
//
// Thread: the main thread; passed_listener() and watchdog_timeout() before there are others: the
//   environment is changed.
#pragma once

#include <chrono>
#include <string>

namespace hostd {

// The descriptor of the one socket that was passed, for the option listen.fd; -1 when none was.
// Throws std::runtime_error when there are several.
int passed_listener();

// Within which time the manager wants to hear tell_alive(), again and again; 0: it does not.
std::chrono::microseconds watchdog_timeout();

// Serves, or serves with what was read anew; `status` is for people.
void tell_ready(const std::string& status);
// Reads its file again; tell_ready() follows.
void tell_reloading();
// Ends, which may take `most`.
void tell_stopping(std::chrono::milliseconds most);
void tell_alive();

}  // namespace hostd
