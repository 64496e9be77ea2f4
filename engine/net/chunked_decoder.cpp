#include "engine/net/chunked_decoder.h"

#include <algorithm>

namespace signalbox::net {
namespace {

constexpr unsigned kMaxSizeDigits = 8;  // 4 GiB; limits of the body are far below
constexpr size_t kMaxOverhead = 16384;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::Result ChunkedDecoder::feed(std::string_view bytes, std::string& out) {
  for (size_t i = 0; i < bytes.size();) {
    if (state_ == State::kData) {
      const size_t n = static_cast<size_t>(std::min<uint64_t>(remaining_, bytes.size() - i));
      out.append(bytes.substr(i, n));
      i += n;
      remaining_ -= n;
      if (remaining_ == 0) state_ = State::kDataCr;
      continue;
    }
    const char c = bytes[i++];
    if ((state_ == State::kExtension || state_ == State::kTrailer) && ++overhead_ > kMaxOverhead) {
      return Result::kInvalid;
    }
    switch (state_) {
      case State::kSize:
        if (const int value = hex_value(c); value >= 0) {
          if (++digits_ > kMaxSizeDigits) return Result::kInvalid;
          remaining_ = remaining_ * 16 + static_cast<unsigned>(value);
        } else if (digits_ == 0) {
          return Result::kInvalid;
        } else if (c == '\r') {
          state_ = State::kSizeEnd;
        } else if (c == ';' || c == ' ' || c == '\t') {
          state_ = State::kExtension;
        } else {
          return Result::kInvalid;
        }
        break;
      case State::kExtension:
        if (c == '\r') state_ = State::kSizeEnd;
        if (c == '\n') return Result::kInvalid;
        break;
      case State::kSizeEnd:
        if (c != '\n') return Result::kInvalid;
        digits_ = 0;
        state_ = remaining_ == 0 ? State::kTrailerStart : State::kData;
        break;
      case State::kDataCr:
        if (c != '\r') return Result::kInvalid;
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        if (c != '\n') return Result::kInvalid;
        state_ = State::kSize;
        break;
      case State::kTrailerStart:
        state_ = c == '\r' ? State::kLastLf : State::kTrailer;
        break;
      case State::kTrailer:
        if (c == '\n') state_ = State::kTrailerStart;
        break;
      case State::kLastLf:
        return c == '\n' ? Result::kDone : Result::kInvalid;
      case State::kData:
        break;  // handled above
    }
  }
  return Result::kMore;
}

}  // namespace signalbox::net
