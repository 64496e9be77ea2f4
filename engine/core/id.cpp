#include "engine/core/id.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace signalbox {
namespace {

void fill_random(unsigned char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t got = getrandom(bytes, count, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    bytes += got;
    count -= static_cast<size_t>(got);
  }
}

}  // namespace

std::string random_id(size_t length) {
  return random_text(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

std::string random_text(size_t length, std::string_view alphabet) {
  if (alphabet.empty() || alphabet.size() > 256) {
    throw std::invalid_argument("random_text: an alphabet has 1 to 256 characters");
  }
  // Bytes from here on are thrown away: they would favour the first characters.
  const size_t usable = 256 - 256 % alphabet.size();
  std::string text;
  text.reserve(length);
  std::array<unsigned char, 64> bytes;
  while (text.size() < length) {
    const size_t wanted = std::min(bytes.size(), length - text.size());
    fill_random(bytes.data(), wanted);
    for (size_t i = 0; i < wanted; ++i) {
      if (bytes[i] < usable) text += alphabet[bytes[i] % alphabet.size()];
    }
  }
  return text;
}

}  // namespace signalbox
