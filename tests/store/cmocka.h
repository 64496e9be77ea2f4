// CMocka, with the headers it wants before it, and the runner that all our programs use.
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}

namespace signalbox::test {

// hiredis writes without MSG_NOSIGNAL; the engine's thread blocks the signal as well.
inline void block_sigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace signalbox::test
