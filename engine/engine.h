// The engine: one loop, one listener, one node. Wires the floors together and is all that capi
// sees.
//
// Thread: run() makes the calling thread the loop's thread until it returns; start() makes one of
// its
//   own. stop() may be called from any thread and from a signal handler. Observers are called on
//   the loop's thread and must not block. The rest belongs to the owner's thread.
// Owner: whoever creates it. Destroying a started engine stops it first and waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/core/log.h"
#include "engine/core/options.h"
#include "engine/core/status.h"

namespace signalbox {

// What the host hears about. Each may be empty.
struct Observers {
  std::function<void(LogLevel level, const std::string& line)> log;
  std::function<void(uint16_t port)> started;
  std::function<void()> stopped;
  std::function<void(const std::string& room)> room_created;
  std::function<void(const std::string& room, const std::string& socket)> joined;
  std::function<void(const std::string& room, const std::string& socket)> left;
  std::function<void(const std::string& room, const std::string& socket, const std::string& reason)>
      refused;
};

class Engine {
 public:
  Engine(Options options, LogLevel log_level, Observers observers);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Binds the listener and serves on this thread until stop(). kAddress when the address cannot be
  // bound, kInvalid for options that do not fit together, kState when it runs already, kSystem when
  // descriptors or memory are refused.
  Status run();

  // The same on a thread of the engine's own; returns once the listener is bound, or with run()'s
  // error.
  Status start();

  // Asks the engine to stop: it closes its listener, tells its sessions, takes its sockets out of
  // Redis and ends, within the option shutdown.timeout. Returns at once.
  void stop();

  // Waits for the thread of start() to end.
  void join();

  // The port actually bound; 0 before and after.
  uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace signalbox
