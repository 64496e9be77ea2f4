// SHA-1 (RFC 3174), by which Redis names its scripts. Not for security.
//
// Thread: any; no state.
#pragma once

#include <string>
#include <string_view>

namespace signalbox::store {

// The digest in 40 lower-case hexadecimal digits.
std::string sha1_hex(std::string_view text);

}  // namespace signalbox::store
