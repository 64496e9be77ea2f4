// UTF-8 against a decoder that is written another way, and what stands on it: the rules for the ids
// of rooms, and lines of the log. And points in time as text.
#include <optional>
#include <string>

#include "engine/core/json.h"
#include "engine/core/log.h"
#include "engine/core/utf8.h"
#include "engine/signaling/room_id.h"
#include "engine/signaling/time_text.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox;

namespace {

// The number of bytes of the code point at the beginning of `text`, decoded first and judged then.
size_t code_point_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (length == 1) return 1;
  if (byte(0) < 0xc0 || byte(0) >= 0xf8 || text.size() < length) return 0;
  uint32_t code = byte(0) & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const size_t shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  const bool exists = code < 0x110000 && (code < 0xd800 || code >= 0xe000);
  return shortest == length && exists ? length : 0;
}

std::optional<size_t> code_points(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) {
    const size_t length = code_point_length(text);
    if (length == 0) return std::nullopt;
    text.remove_prefix(length);
  }
  return count;
}

void check_log_line(std::string_view text) {
  Log log(LogLevel::kDebug, [](LogLevel, const std::string& line) {
    CHECK(line.starts_with("msg=text text="));
    const std::string_view value = std::string_view(line).substr(14);
    for (const char c : value) CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    if (value.front() != '"') {
      CHECK(value.find_first_of(" =\"") == value.npos);
      return;
    }
    std::string read;
    CHECK(utf8_valid(value) && json::decode_string(value, read));
  });
  log.info("text", {{"text", text}});
}

void check_time(std::string_view text) {
  const auto ms = signaling::parse_iso(text);
  if (!ms || !signaling::expressible(static_cast<double>(*ms))) return;
  const std::string written = signaling::iso_text(*ms);
  CHECK(signaling::parse_iso(written) == ms);
  CHECK(written.starts_with(signaling::day_text(*ms)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto count = code_points(text);
  CHECK(utf8_valid(text) == count.has_value());
  if (count) CHECK(signaling::character_count(text) == *count);
  if (signaling::room_id_valid(text)) {
    CHECK(count && *count >= 1 && *count <= signaling::kMaxRoomIdLength);
    for (const char c : text) CHECK(static_cast<unsigned char>(c) > 0x20 && c != 0x7f);
  }
  if (count) {
    const bool fits = *count >= 1 && *count <= signaling::kMaxSecretLength;
    CHECK(signaling::room_secret_valid(text) == fits);
  }
  check_log_line(text);
  check_time(text);
  return 0;
}
