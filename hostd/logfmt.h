// Values of logfmt, written as the library writes those of its own lines, so that one reader does
// for all of the log.
//
// Thread: functions without state.
#pragma once

#include <string>
#include <string_view>

namespace hostd {

// Bare where that is unmistakable, a JSON string otherwise. Whatever the text holds, it makes no
// line and no field of its own, and nothing that a terminal would obey.
std::string logfmt_value(std::string_view text);

}  // namespace hostd
