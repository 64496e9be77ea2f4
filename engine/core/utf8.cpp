#include "engine/core/utf8.h"

#include "engine/core/byte_block.h"

namespace signalbox {
namespace {

constexpr ptrdiff_t kBlocks = 4;  // at a time, of text that is ASCII, as most is

const unsigned char* skip_ascii(const unsigned char* at, const unsigned char* end) {
  while (end - at >= kBlocks * ByteBlock::kSize) {
    ByteBlock block(at);
    for (ptrdiff_t i = 1; i < kBlocks; ++i) block |= ByteBlock(at + i * ByteBlock::kSize);
    if (block.first_beyond_ascii() != ByteBlock::kSize) break;
    at += kBlocks * ByteBlock::kSize;
  }
  while (end - at >= ByteBlock::kSize) {
    const ptrdiff_t ascii = ByteBlock(at).first_beyond_ascii();
    at += ascii;
    if (ascii != ByteBlock::kSize) return at;
  }
  while (at != end && *at < 0x80) ++at;
  return at;
}

}  // namespace

bool utf8_valid(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while ((at = skip_ascii(at, end)) != end) {
    const unsigned char lead = *at++;

    // How many bytes follow, and which range the first of them must lie in: that range is what
    // rules out overlong forms (E0, F0), surrogates (ED) and code points that do not exist (F4).
    int following;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      following = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      following = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      following = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    for (; following > 0; --following) {
      if (at == end || *at < low || *at > high) return false;
      ++at;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

}  // namespace signalbox
