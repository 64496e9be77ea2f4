#include "tests/fuzz/json_differences.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <string>

namespace fuzz {
namespace {

constexpr size_t kLongestNumber = 63;  // cJSON copies a number into a buffer of 64
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20;
}

bool is_number(std::string_view text) {
  static const std::regex kNumber(R"(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)");
  return text.size() <= kLongestNumber && std::regex_match(text.begin(), text.end(), kNumber);
}

// The code unit of "\uXXXX" at the beginning of `text`; -1: there is none.
int code_unit(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return -1;
  const std::string digits(text.substr(2, 4));
  const bool valid = std::all_of(digits.begin(), digits.end(),
                                 [](unsigned char c) { return std::isxdigit(c) != 0; });
  return valid ? std::stoi(digits, nullptr, 16) : -1;
}

}  // namespace

Differences::Differences(std::string_view text) {
  cjson_is_lenient = text.starts_with(kByteOrderMark);
  bool quoted = false;
  size_t open = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted && is_control(c)) {
      cjson_is_lenient = true;
    } else if (quoted && c == '\\') {
      const int unit = code_unit(text.substr(at));
      if (text.substr(at).starts_with("\\u") && unit < 0) cjson_is_lenient = true;
      if (unit == 0) has_nul = true;
      if (unit >= 0xd800 && unit < 0xe000) {
        const int low = code_unit(text.substr(at + 6));
        if (unit >= 0xdc00 || low < 0xdc00 || low >= 0xe000) cjson_is_strict = true;
        if (!cjson_is_strict) at += 6;
      }
      ++at;
    } else if (!quoted && (c == '-' || std::isdigit(static_cast<unsigned char>(c)) != 0)) {
      const size_t end = std::min(text.find_first_not_of("0123456789+-eE.", at), text.size());
      const std::string_view number = text.substr(at, end - at);
      if (number.size() > kLongestNumber) cjson_is_strict = true;
      if (number.size() <= kLongestNumber && !is_number(number)) cjson_is_lenient = true;
      at = end - 1;
    } else if (!quoted) {
      if (is_control(c) && c != '\t' && c != '\n' && c != '\r') cjson_is_lenient = true;
      if (c == '[' || c == '{') depth = std::max(depth, ++open);
      if ((c == ']' || c == '}') && open > 0) --open;
    }
  }
}

}  // namespace fuzz
