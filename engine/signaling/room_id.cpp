#include "engine/signaling/room_id.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "engine/core/utf8.h"

namespace signalbox::signaling {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Unicode's control (Cc), format (Cf), separator (Zs, Zl, Zp) and private-use (Co) characters, in
// order.
constexpr Range kUnprintable[] = {
    {0x0000, 0x0020},    {0x007f, 0x00a0},   {0x00ad, 0x00ad},   {0x0600, 0x0605},
    {0x061c, 0x061c},    {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},
    {0x08e2, 0x08e2},    {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},
    {0x2028, 0x202f},    {0x205f, 0x206f},   {0x3000, 0x3000},   {0xe000, 0xf8ff},
    {0xfdd0, 0xfdef},    {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd},  {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0x10ffff},
};

bool printable(uint32_t code) {
  if ((code & 0xfffe) == 0xfffe) return false;  // the last two of each plane are no characters
  const auto* next =
      std::upper_bound(std::begin(kUnprintable), std::end(kUnprintable), code,
                       [](uint32_t value, const Range& range) { return value < range.first; });
  return next == std::begin(kUnprintable) || code > std::prev(next)->last;
}

// The code point at `text[at]`, of valid UTF-8; moves `at` behind it.
uint32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t lead = byte(at++);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  uint32_t code = lead & (0x3fU >> more);
  for (int i = 0; i < more; ++i) code = code << 6 | (byte(at++) & 0x3f);
  return code;
}

}  // namespace

bool room_id_valid(std::string_view id) {
  if (id.empty() || id.size() > 4 * kMaxRoomIdLength || !utf8_valid(id)) return false;
  if (character_count(id) > kMaxRoomIdLength) return false;
  for (size_t at = 0; at < id.size();) {
    if (!printable(next_code_point(id, at))) return false;
  }
  return true;
}

bool room_secret_valid(std::string_view secret) {
  return !secret.empty() && character_count(secret) <= kMaxSecretLength;
}

size_t character_count(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

}  // namespace signalbox::signaling
