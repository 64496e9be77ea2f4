// The answer to --print-config: the settings as a file that --config reads.
//
// Thread: the main thread.
#pragma once

#include <ostream>

#include "hostd/options.h"

namespace hostd {

// Writes a line for each option, with its value and where that came from. What the file must not or
// cannot say stands in a comment: passwords and keys, the Redis that nobody named, and texts that a
// file has no way to say.
void print_config(std::ostream& out, const Settings& settings);

}  // namespace hostd
