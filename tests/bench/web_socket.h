// Frames of RFC 6455.
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

void apply_mask(char* data, size_t size, uint32_t mask);

// All of a frame that stands before its mask, or its payload.
void append_head(std::string& out, Opcode opcode, size_t size, bool masked);
// A client's frame.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, uint32_t mask);

struct Frame {
  Opcode opcode{};
  bool last = false;  // of its message
  std::string_view payload;
  size_t size = 0;    // of all of it
  uint32_t mask = 0;  // what the payload is masked with
};

// The frame that `bytes` begin with, once it is whole. Its payload is as it stands there, masked.
std::optional<Frame> parse_frame(std::string_view bytes);

}  // namespace bench
