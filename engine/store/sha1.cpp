#include "engine/store/sha1.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace signalbox::store {

std::string sha1_hex(std::string_view text) {
  constexpr const char* kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL refuses SHA-1, by which Redis names its scripts");
  }
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

}  // namespace signalbox::store
