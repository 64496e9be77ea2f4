// Where cJSON 1.7.15 and RFC 8259 differ, found in a text by its letters alone: what is inside
// quotes and what is outside. Up to its first fault a text is told apart rightly that way, and
// behind one nothing matters any more.
//
// Thread: the fuzzer's only one.
#pragma once

#include <cstddef>
#include <string_view>

namespace fuzz {

struct Differences {
  explicit Differences(std::string_view text);

  // The RFC refuses what cJSON accepts: a byte order mark before the text (RFC 8259, 8.1, lets a
  // parser choose; JSON.parse refuses it); control characters in strings (7), and outside of them
  // others than white space (2); "\u" without four hexadecimal digits (7); numbers with zeros in
  // front, and whatever else strtod() takes (6).
  bool cjson_is_lenient = false;
  // The RFC accepts what cJSON refuses: "\ud800" without its other half (8.2), and numbers of more
  // than 63 characters.
  bool cjson_is_strict = false;
  // cJSON ends a string at "\u0000".
  bool has_nul = false;
  size_t depth = 0;

  bool deeper_than(size_t most) const { return depth > most; }
  bool any(size_t most) const {
    return cjson_is_lenient || cjson_is_strict || has_nul || deeper_than(most);
  }
};

}  // namespace fuzz
