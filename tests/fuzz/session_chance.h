// Time and chance of the session fuzzer, so that an input does the same each time: definitions of
// the system's calls in the fuzzer take the place of the system's own.
//
// Thread: the fuzzer's only one.
#pragma once

#include <cstdint>

namespace fuzz {

// Begins anew: the clock, and what getrandom() gives.
void reset_chance();

// Lets the monotonic clock go on. It stands still otherwise.
void pass_time(uint64_t ms);

}  // namespace fuzz
