// What the programs on the net and engineio floors share: a listener that serves until it is told
// to end.
#pragma once

#include <csignal>
#include <cstdio>
#include <utility>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/net/server.h"

namespace apps {

inline signalbox::Log log_to_stderr() {
  return {signalbox::LogLevel::kWarning,
          [](signalbox::LogLevel /*level*/, const std::string& line) {
            std::fprintf(stderr, "%s\n", line.c_str());
          }};
}

inline signalbox::Loop* serving = nullptr;

// Names the address on standard output, serves until SIGTERM or SIGINT and returns the exit code.
inline int serve(signalbox::Loop& loop, signalbox::net::Server& net, const char* path) {
  const signalbox::Status opened = net.open();
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.text().c_str());
    return 1;
  }
  std::printf("listening on http://localhost:%u%s\n", net.port(), path);
  std::fflush(stdout);
  serving = &loop;
  bool ending = false;
  loop.set_wake_handler([&] {
    if (!std::exchange(ending, true)) net.close([&loop] { loop.stop(); });
  });
  std::signal(SIGTERM, [](int) { serving->wake(); });
  std::signal(SIGINT, [](int) { serving->wake(); });
  loop.run();
  return 0;
}

}  // namespace apps
