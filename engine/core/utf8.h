// UTF-8 checked once, where bytes from outside become text.
//
// Thread: functions without state.
#pragma once

#include <string_view>

namespace signalbox {

// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates,
// nothing above U+10FFFF, nothing cut off.
bool utf8_valid(std::string_view text);

}  // namespace signalbox
