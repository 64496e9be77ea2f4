// Base64 with the standard alphabet (RFC 4648, section 4).
//
// Thread: functions without state.
#pragma once

#include <string>
#include <string_view>

namespace signalbox {

// Appends `bytes` as base64, padded.
void append_base64(std::string& out, std::string_view bytes);

// Decodes into `out`, replacing what it held. The padding may be left out, but not half of it.
// False for any character that is not of the alphabet and for a length that no bytes encode to;
// `out` is then unspecified.
bool decode_base64(std::string_view text, std::string& out);

}  // namespace signalbox
