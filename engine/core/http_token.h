// The words that HTTP is made of (RFC 9110, 5.6).
//
// Thread: functions without state.
#pragma once

#include <string_view>

namespace signalbox {

// Whether `text` is a token, as a header's name has to be.
bool is_http_token(std::string_view text);

// Whether the two are the same but for the case of ASCII letters.
bool same_http_word(std::string_view text, std::string_view word);

// `text` without the optional white space (spaces and tabs) around it.
std::string_view without_ows(std::string_view text);

}  // namespace signalbox
