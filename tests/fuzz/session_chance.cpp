#include "tests/fuzz/session_chance.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr uint64_t kStartMs = 1'000'000;

uint64_t now_ms = kStartMs;
unsigned drawn = 0;

}  // namespace

namespace fuzz {

void reset_chance() {
  now_ms = kStartMs;
  drawn = 0;
}

void pass_time(uint64_t ms) {
  now_ms += ms;
}

}  // namespace fuzz

extern "C" {

// libuv calls it.
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec* out) {
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, out));
  }
  out->tv_sec = static_cast<time_t>(now_ms / 1000);
  out->tv_nsec = static_cast<long>(now_ms % 1000 * 1'000'000);
  return 0;
}

// Ids are words like "FAFFFFFF", each another one.
__attribute__((visibility("default"))) ssize_t getrandom(void* buffer, size_t size,
                                                         unsigned /*flags*/) {
  auto* const bytes = static_cast<unsigned char*>(buffer);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<unsigned char>((i == 1 ? drawn >> 6 : drawn) & 63);
  }
  ++drawn;
  return static_cast<ssize_t>(size);
}

}  // extern "C"
