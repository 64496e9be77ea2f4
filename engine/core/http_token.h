// The words that HTTP is made of (RFC 9110, 5.6.2).
//
// Thread: functions without state.
#pragma once

#include <string_view>

namespace signalbox {

// Whether `text` is a token, as a header's name has to be.
bool is_http_token(std::string_view text);

}  // namespace signalbox
