#include "tests/bench/web_socket.h"

#include <cstring>

namespace bench {
namespace {

constexpr uint8_t kLast = 0x80;
constexpr uint8_t kMasked = 0x80;
constexpr size_t kTwoBytes = 126;  // the length follows in two bytes
constexpr size_t kEightBytes = 127;

void append_big_endian(std::string& out, uint64_t value, int bytes) {
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}

uint64_t big_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char each : bytes) value = value << 8 | static_cast<uint8_t>(each);
  return value;
}

}  // namespace

void apply_mask(char* data, size_t size, uint32_t mask) {
  const uint64_t wide = static_cast<uint64_t>(mask) << 32 | mask;
  size_t at = 0;
  for (; at + sizeof wide <= size; at += sizeof wide) {
    uint64_t word = 0;
    std::memcpy(&word, data + at, sizeof word);
    word ^= wide;
    std::memcpy(data + at, &word, sizeof word);
  }
  for (int shift = 0; at < size; ++at, shift += 8) {
    data[at] = static_cast<char>(data[at] ^ static_cast<char>(wide >> shift));
  }
}

void append_head(std::string& out, Opcode opcode, size_t size, bool masked) {
  const auto mark = static_cast<char>(masked ? kMasked : 0);
  out.push_back(static_cast<char>(kLast | static_cast<uint8_t>(opcode)));
  if (size < kTwoBytes) {
    out.push_back(static_cast<char>(mark | static_cast<char>(size)));
  } else if (size <= 0xffff) {
    out.push_back(static_cast<char>(mark | static_cast<char>(kTwoBytes)));
    append_big_endian(out, size, 2);
  } else {
    out.push_back(static_cast<char>(mark | static_cast<char>(kEightBytes)));
    append_big_endian(out, size, 8);
  }
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, uint32_t mask) {
  append_head(out, opcode, payload.size(), true);
  out.append(reinterpret_cast<const char*>(&mask), sizeof mask);
  const size_t begin = out.size();
  out.append(payload);
  apply_mask(out.data() + begin, payload.size(), mask);
}

std::optional<Frame> parse_frame(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto head = static_cast<uint8_t>(bytes[0]);
  uint64_t length = static_cast<uint8_t>(bytes[1]) & 0x7f;
  size_t at = 2;
  if (length >= kTwoBytes) {
    const size_t size = length == kTwoBytes ? 2 : 8;
    if (bytes.size() < at + size) return std::nullopt;
    length = big_endian(bytes.substr(at, size));
    at += size;
  }
  uint32_t mask = 0;
  if ((static_cast<uint8_t>(bytes[1]) & kMasked) != 0) {
    if (bytes.size() < at + sizeof mask) return std::nullopt;
    std::memcpy(&mask, bytes.data() + at, sizeof mask);
    at += sizeof mask;
  }
  if (bytes.size() - at < length) return std::nullopt;
  return Frame{static_cast<Opcode>(head & 0x0f), (head & kLast) != 0, bytes.substr(at, length),
               at + length, mask};
}

}  // namespace bench
