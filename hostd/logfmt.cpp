#include "hostd/logfmt.h"

#include <algorithm>
#include <cstddef>

namespace hostd {
namespace {

bool is_bare(char c) {
  return c > ' ' && c < '\x7f' && c != '"' && c != '=' && c != '\\';
}

bool is_ascii(char c) {
  return (c & 0x80) == 0;
}

// How many bytes the well-formed UTF-8 character (Unicode 15, table 3-7) has that a text which is
// not empty begins with; 0: it begins with none.
size_t character_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  // Overlong forms, surrogates, and what is above U+10FFFF.
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
      (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// The code of a control character, which terminals obey: of ASCII, or of U+0080 to U+009F (C2 80 to
// C2 9F in UTF-8). -1: it is another character.
int control_code(std::string_view character) {
  const auto last = static_cast<unsigned char>(character.back());
  const bool late = character.size() == 2 && character[0] == '\xc2' && last < 0xa0;
  const bool early = character.size() == 1 && (last < ' ' || last == 0x7f);
  return late || early ? last : -1;
}

void append_escaped(std::string& out, std::string_view character) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr std::string_view kDigits = "0123456789abcdef";
  const size_t at = character.size() == 1 ? kShort.find(character[0]) : std::string_view::npos;
  const int code = control_code(character);
  if (at != std::string_view::npos) {
    out.append("\\") += kLetters[at];
  } else if (code >= 0) {
    (out.append("\\u00") += kDigits[code >> 4]) += kDigits[code & 15];
  } else {
    out += character;
  }
}

}  // namespace

std::string logfmt_value(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_bare)) return std::string(text);
  std::string readable(text);
  // JSON is UTF-8.
  if (!is_utf8(text)) {
    std::replace_if(
        readable.begin(), readable.end(), [](char c) { return !is_ascii(c); }, '?');
  }
  std::string out = "\"";
  for (std::string_view rest = readable; !rest.empty();) {
    const size_t length = character_length(rest);
    append_escaped(out, rest.substr(0, length));
    rest.remove_prefix(length);
  }
  return out + '"';
}

}  // namespace hostd
