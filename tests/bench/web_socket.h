// Frames of RFC 6455, those of a client masked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

void append_frame(std::string& out, Opcode opcode, std::string_view payload, uint32_t mask);

struct Frame {
  Opcode opcode{};
  bool last = false;  // of its message
  std::string_view payload;
  size_t size = 0;  // of all of it
};

// The frame that `bytes` begin with, once it is whole.
std::optional<Frame> parse_frame(std::string_view bytes);

}  // namespace bench
