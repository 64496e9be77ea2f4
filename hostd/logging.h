// hostd's log: one line an event on stderr, with time and level.
//
// Thread: open_log() before there are other threads; the others any.
#pragma once

#include <string_view>

#include "signalbox.h"

namespace hostd {

// Shows lines of `level` and graver ones from now on.
void open_log(sbx_log_level level);

// The same once it is open.
void set_log_level(sbx_log_level level);

void log(sbx_log_level level, std::string_view line);

}  // namespace hostd
