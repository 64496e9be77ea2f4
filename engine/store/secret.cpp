#include "engine/store/secret.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <span>
#include <stdexcept>

#include "engine/core/id.h"
#include "engine/store/sha1.h"

namespace signalbox::store {
namespace {

constexpr size_t kSaltLength = 22;  // 132 bits

}  // namespace

std::string secret_digest(std::string_view room, std::string_view secret) {
  if (secret.empty()) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), room.data(), static_cast<int>(room.size()),
           reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), bytes.data(),
           &size) == nullptr) {
    throw std::runtime_error("HMAC-SHA-256 is not to be had");
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string digest;
  for (const unsigned char byte : std::span(bytes).first(size)) {
    digest += kHex[byte >> 4];
    digest += kHex[byte & 15];
  }
  return digest;
}

std::string salted(std::string_view digest) {
  if (digest.empty()) return {};
  const std::string salt = random_id(kSaltLength);
  return salt + ':' + sha1_hex(salt + std::string(digest));
}

}  // namespace signalbox::store
