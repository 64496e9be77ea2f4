// Some bytes of a text, looked at all at once: 16 with SSE2, which every x86-64 has, 8 elsewhere.
//
// Thread: functions without state.
// Owner: whoever has the text.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace signalbox {

#ifdef __SSE2__

class ByteBlock {
 public:
  static constexpr ptrdiff_t kSize = 16;

  explicit ByteBlock(const void* bytes)
      : bytes_(_mm_loadu_si128(static_cast<const __m128i*>(bytes))) {}

  ByteBlock& operator|=(ByteBlock other) {
    bytes_ = _mm_or_si128(bytes_, other.bytes_);
    return *this;
  }

  // Each tells where the first such byte is: kSize when there is none.

  ptrdiff_t first_beyond_ascii() const { return first(bytes_); }

  // A quote, a backslash or a control character: what ends a run of plain characters in JSON.
  ptrdiff_t first_special() const {
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i controls = _mm_cmpeq_epi8(_mm_max_epu8(bytes_, last_control), last_control);
    const __m128i quotes = _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('"'));
    const __m128i backslashes = _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('\\'));
    return first(_mm_or_si128(controls, _mm_or_si128(quotes, backslashes)));
  }

 private:
  static ptrdiff_t first(__m128i tops) {
    return std::countr_zero(static_cast<uint32_t>(_mm_movemask_epi8(tops)) | 1U << kSize);
  }

  __m128i bytes_;
};

#else

class ByteBlock {
 public:
  static constexpr ptrdiff_t kSize = 8;

  explicit ByteBlock(const void* bytes) {
    std::memcpy(&bytes_, bytes, sizeof bytes_);
    if constexpr (std::endian::native == std::endian::big) bytes_ = __builtin_bswap64(bytes_);
  }

  ByteBlock& operator|=(ByteBlock other) {
    bytes_ |= other.bytes_;
    return *this;
  }

  ptrdiff_t first_beyond_ascii() const { return first(bytes_); }

  // (x - 1) & ~x has the top bit of a byte set where the byte was zero; a borrow can set it falsely
  // only above a byte where it is set truly.
  ptrdiff_t first_special() const {
    const uint64_t quote = bytes_ ^ each('"');
    const uint64_t backslash = bytes_ ^ each('\\');
    return first(((bytes_ - each(0x20)) & ~bytes_) | ((quote - each(1)) & ~quote) |
                 ((backslash - each(1)) & ~backslash));
  }

 private:
  static constexpr uint64_t each(uint8_t byte) { return 0x0101010101010101U * byte; }
  static ptrdiff_t first(uint64_t tops) { return std::countr_zero(tops & each(0x80)) / 8; }

  uint64_t bytes_;
};

#endif

}  // namespace signalbox
