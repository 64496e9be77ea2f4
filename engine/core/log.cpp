#include "engine/core/log.h"

#include <algorithm>
#include <chrono>

#include "engine/core/json.h"
#include "engine/core/utf8.h"

namespace signalbox {
namespace {

bool is_bare(char c) {
  return c > ' ' && c != '"' && c != '=' && c != '\\' && c < '\x7f';
}

// What JSON lets stand, but terminals obey: DEL, and U+0080 to U+009F (C2 80 to C2 9F in UTF-8;
// U+009B begins an escape sequence).
void escape_late_controls(std::string& text, size_t from) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t at = from; at < text.size(); ++at) {
    const size_t length = text[at] == '\x7f' ? 1 : 2;
    const auto last = static_cast<unsigned char>(text[std::min(at + length, text.size()) - 1]);
    if (length == 2 && (text[at] != '\xc2' || last < 0x80 || last >= 0xa0)) continue;
    text.replace(at, length, {'\\', 'u', '0', '0', kDigits[last >> 4], kDigits[last & 15]});
  }
}

// As readers of logfmt have it: bare where that is unmistakable, a JSON string otherwise.
void append_value(std::string& line, std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_bare)) {
    line += text;
    return;
  }
  const size_t from = line.size();
  if (utf8_valid(text)) {
    json::append_string(line, text);
  } else {
    std::string ascii(text);
    std::replace_if(
        ascii.begin(), ascii.end(), [](char c) { return (c & 0x80) != 0; }, '?');
    json::append_string(line, ascii);
  }
  escape_late_controls(line, from);
}

void append_field(std::string& line, const LogField& field) {
  line += ' ';
  line += field.key;
  line += '=';
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_value(line, *text);
  } else {
    line += std::to_string(std::get<int64_t>(field.value));
  }
}

}  // namespace

Log::Log(LogLevel level, Sink sink, Counter* held_back, Clock clock)
    : level_(level), sink_(std::move(sink)), held_back_(held_back), clock_(clock) {}

void Log::write(LogLevel level, std::string_view event, Fields fields) {
  if (!enabled(level)) return;
  uint64_t held_back = 0;
  if (level != LogLevel::kDebug && !admit(event, held_back)) return;
  std::string line = "msg=";
  append_value(line, event);
  for (const LogField& field : fields) append_field(line, field);
  if (held_back != 0) append_field(line, {"held_back", held_back});
  sink_(level, line);
}

bool Log::admit(std::string_view event, uint64_t& held_back) {
  const uint64_t now_ms = clock_();
  Window& window = windows_.try_emplace(event, Window{now_ms, 0}).first->second;
  if (now_ms - window.begin_ms >= kWindowMs) {
    held_back = window.lines - std::min(window.lines, kMostLines);
    window = {now_ms, 0};
  }
  if (++window.lines <= kMostLines) return true;
  if (held_back_ != nullptr) ++*held_back_;
  return false;
}

uint64_t Log::steady_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace signalbox
