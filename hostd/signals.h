// What the main thread waits for: signals that ask hostd to end or to read its file again, the ends
// of others, and time to look after the engines.
//
// Thread: construct it on the main thread before there are other threads, so that none of them is
//   interrupted by the signals; wait() there; engine_stopped() any thread.
#pragma once

#include <chrono>

#include "hostd/descriptor.h"

namespace hostd {

class Signals {
 public:
  enum class Event { kEndRequested, kReloadRequested, kEngineStopped, kRedisEnded, kBeat };

  // Takes over SIGTERM, SIGINT and SIGHUP, and ignores SIGPIPE. Throws std::system_error.
  Signals();

  // Makes wait() return kBeat again and again, that much apart; once when it comes late. Throws
  // std::system_error.
  void beat(std::chrono::microseconds apart);

  // Waits for the next event. `redis_end` becomes readable when the embedded Redis has ended; -1
  // when that is not waited for.
  Event wait(int redis_end);

  // Makes wait() return kEngineStopped, once for each call.
  void engine_stopped();

 private:
  Descriptor signals_;
  Descriptor stopped_;
  Descriptor beat_;  // invalid: there is none
};

}  // namespace hostd
