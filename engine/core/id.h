// Random names from the system's cryptographic source, in the base64url alphabet.
//
// Thread: any; the functions have no state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace signalbox {

// `length` characters of base64url, 6 random bits each. Throws std::runtime_error when the kernel
// gives no random bytes (it always does once booted).
std::string random_id(size_t length);

// `length` characters drawn uniformly from `alphabet` (at most 256 characters).
std::string random_text(size_t length, std::string_view alphabet);

}  // namespace signalbox
