#include "engine/core/log.h"

namespace signalbox {
namespace {

bool is_control(unsigned char byte) {
  return byte < 0x20 || byte == 0x7f;
}

// U+0080 to U+009F, the second set of control characters: C2 80 to C2 9F in UTF-8. Terminals obey
// some of them (U+009B begins an escape sequence).
bool is_c1(std::string_view text, size_t at) {
  if (at + 1 >= text.size() || text[at] != '\xc2') return false;
  const auto next = static_cast<unsigned char>(text[at + 1]);
  return next >= 0x80 && next < 0xa0;
}

void append_hex(std::string& out, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

std::string escaped(std::string_view line) {
  std::string out;
  out.reserve(line.size());
  for (size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_control(static_cast<unsigned char>(c))) {
      append_hex(out, static_cast<unsigned char>(c));
    } else if (is_c1(line, at)) {
      append_hex(out, static_cast<unsigned char>(c));
      append_hex(out, static_cast<unsigned char>(line[++at]));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void Log::write(LogLevel level, std::string_view line) const {
  if (enabled(level)) sink_(level, escaped(line));
}

}  // namespace signalbox
