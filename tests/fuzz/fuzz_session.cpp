// Whole sessions: clients on both transports, their packets, a Redis that answers what it likes,
// other nodes, and time that passes. See session_play.h for the form of the input.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/session_chance.h"
#include "tests/fuzz/session_play.h"

namespace {

constexpr size_t kMostEvents = 200;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  fuzz::reset_chance();
  fuzz::SessionPlay play;
  for (size_t count = 0; count < kMostEvents && !rest.empty(); ++count) {
    play.event(fuzz::take_until(rest, '\n'));
  }
  play.end();
  return 0;
}
