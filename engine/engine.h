// The engine: one loop, one listener, one node. Wires the floors together and is all that capi
// sees, with engine/host for what a host programs.
//
// Thread: run() makes the calling thread the loop's thread until it returns; start() makes one of
//   its own; attach() and open() make it the thread that runs the host's loop, or calls run_once().
//   Observers and handlers are called on the loop's thread and must not block. configure(), set(),
//   set_log_level(), submit(), counters() and port() may be called from any thread, stop() from a
//   signal handler too; the rest must not overlap.
// Owner: whoever creates it. See ~Engine().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/log.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/host/host.h"
#include "engine/host/program.h"
#include "engine/node.h"

namespace signalbox {

// What the host hears about. Each may be empty.
struct Observers {
  std::function<void(LogLevel level, const std::string& line)> log;
  std::function<void(uint16_t port)> started;
  std::function<void()> stopped;
  signaling::RoomObservers rooms;
};

class Engine {
 public:
  // `program`: what is known of it already; see configure().
  Engine(Options options, LogLevel log_level, Observers observers, host::Program program);
  // Stops an engine that serves, and waits for it. Not before check_destroyable() agrees.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Whether an engine could serve with these: kInvalid, with every reason on a line of its own,
  // when they do not fit together or a file that they name is of no use. Any thread.
  static Status check(const Options& options);

  // Those that are not live may be read on any thread.
  const Options& options() const;

  // Makes this engine serve on the port of `other`, and of those which share that already: see
  // net::PortGroup. kState when one of them has begun to listen, or this one shares a port already;
  // kInvalid when their options listen.host, listen.port, listen.fd or socketio.path differ, or
  // there are too many.
  Status share_port(Engine& other);

  // Binds the listener and serves on this thread until stop(). kAddress when the address cannot be
  // bound, kInvalid for options that do not fit together, kState when it has served, or tried to,
  // before, kSystem when descriptors or memory are refused.
  Status run();

  // The same on a thread of the engine's own; returns once the listener is bound, or with run()'s
  // error.
  Status start();

  // The same whenever the host's uv_loop_t runs; on its thread.
  Status attach(void* uv_loop);

  // The same whenever run_once() is called.
  Status open();

  // One turn of an engine that open() has opened. kState when it has not, and from the turn on in
  // which the engine ends.
  Status run_once(int timeout_ms);

  // For a host that waits between the turns: see Loop. -1 unless open() has opened the engine; once
  // it has ended there is nothing to wait for: 0 ms.
  int descriptor() const;
  int timeout_ms() const;

  // Asks the engine to stop: it closes its listener, sends its clients away one after another
  // within the option shutdown.drain, takes their sockets out of Redis and ends, within the option
  // shutdown.timeout. Asked again, it sends all that are left away at once. Returns at once.
  void stop();

  // Waits for the thread of start() to end.
  void join();

  // kState while a thread is in run(), and for an attached engine that has not ended.
  Status check_destroyable() const;

  // Listens, or has not yet let go of its last client.
  bool serving() const;

  // The port actually bound; 0 before and after.
  uint16_t port() const;

  // What it has counted so far, also once it has ended.
  const Counters& counters() const;

  // Whether the room application takes an event, so that no handler of the host's gets it.
  bool belongs_to_application(std::string_view nsp, std::string_view event) const;

  // Changes the program: at once before the engine serves, then on the loop's thread. kState when
  // it has ended.
  Status configure(std::function<void(host::Program& program)> change);

  // Changes an option, or which lines are logged, on the loop's thread, in order with the commands.
  // kInvalid when the option cannot change while the engine serves or the value is not allowed,
  // kState when the engine does not serve.
  Status set(const std::string& name, const std::string& value);
  Status set_log_level(LogLevel level);

  // Runs a command on the loop's thread, after those submitted before, never inside this call.
  // False when the engine does not serve.
  bool submit(std::function<void(Node& node)> command);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace signalbox
