#include "engine/signaling/tokens.h"

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "engine/core/json.h"
#include "engine/signaling/room_id.h"

namespace signalbox::signaling {
namespace {

constexpr size_t kMaxTokenLength = 8192;
constexpr size_t kMinSecretLength = 32;  // RFC 7518, 3.2
constexpr int kMinRsaBits = 2048;        // RFC 7518, 3.3
constexpr size_t kMaxKeyFile = 65536;

struct Free {
  void operator()(jwt_t* token) const { jwt_free(token); }
  void operator()(char* text) const { std::free(text); }
};
using Token = std::unique_ptr<jwt_t, Free>;
using Text = std::unique_ptr<char, Free>;

// Three parts of base64url, none of them empty: what is anything else never gets as far as a
// parser.
bool looks_like_token(std::string_view text) {
  if (text.size() > kMaxTokenLength) return false;
  size_t dots = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (i == 0 || text[i - 1] == '.' || i + 1 == text.size()) return false;
      ++dots;
    } else if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
               c != '-' && c != '_') {
      return false;
    }
  }
  return dots == 2;
}

std::optional<double> number(const json::Value& value) {
  double seconds = 0;
  const char* const end = value.text.data() + value.text.size();
  if (value.type != json::Type::kNumber) return std::nullopt;
  const auto [stopped, error] = std::from_chars(value.text.data(), end, seconds);
  if (error != std::errc() || stopped != end || !std::isfinite(seconds)) return std::nullopt;
  return seconds;
}

// The claims of a token whose signature is right; `not_before`: 0 without that claim.
bool read_claims(jwt_t* token, Claims& claims, double& not_before) {
  const Text text(jwt_get_grants_json(token, nullptr));
  if (text == nullptr) return false;
  std::array<json::Member, 3> found = {{{"room", {}}, {"exp", {}}, {"nbf", {}}}};
  const auto& [room, exp, nbf] = found;
  const std::string_view object(text.get());
  if (!json::scan_object(object, found)) return false;
  const auto expires = number(exp.value);
  const auto begins = nbf.value.present() ? number(nbf.value) : std::optional<double>(0);
  if (!expires || !begins || !json::decode_string(room.value.text, claims.room) ||
      !room_id_valid(claims.room)) {
    return false;
  }
  claims.expires_s = *expires;
  not_before = *begins;
  return true;
}

// The text of a PEM file, or `value` itself when it is such a text.
std::optional<std::string> pem_of(const std::string& value) {
  if (value.starts_with("-----BEGIN")) return value;
  std::ifstream file(value, std::ios::binary);
  std::string text(kMaxKeyFile, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (text.empty()) return std::nullopt;
  return text;
}

bool is_strong_rsa(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr, EVP_PKEY_free);
  ERR_clear_error();
  return key != nullptr && EVP_PKEY_base_id(key.get()) == EVP_PKEY_RSA &&
         EVP_PKEY_bits(key.get()) >= kMinRsaBits;
}

}  // namespace

Tokens::Tokens(const Options& options) {
  const Status status = load(options, keys_);
  if (!status.ok()) throw std::runtime_error(status.text());
}

Status Tokens::validate(const Options& options) {
  std::vector<Key> keys;
  return load(options, keys);
}

Status Tokens::load(const Options& options, std::vector<Key>& keys) {
  if (const std::string& secret = options.auth_jwt_hs256_key; !secret.empty()) {
    if (secret.size() < kMinSecretLength) {
      return {ErrorCode::kInvalid, "option auth.jwt_hs256_key: needs 32 bytes at least"};
    }
    keys.push_back({JWT_ALG_HS256, secret});
  }
  if (const std::string& value = options.auth_jwt_rs256_key; !value.empty()) {
    const auto pem = pem_of(value);
    if (!pem) return {ErrorCode::kInvalid, "option auth.jwt_rs256_key: cannot read " + value};
    if (!is_strong_rsa(*pem)) {
      return {ErrorCode::kInvalid,
              "option auth.jwt_rs256_key: is no public RSA key (PEM) of 2048 bits at least"};
    }
    keys.push_back({JWT_ALG_RS256, *pem});
  }
  return {};
}

std::string Tokens::read(std::string_view token, double now_s, Claims& claims) const {
  if (!looks_like_token(token)) return std::string(kInvalid);
  const std::string text(token);
  for (const Key& key : keys_) {
    jwt_t* decoded = nullptr;
    const int failed =
        jwt_decode(&decoded, text.c_str(), reinterpret_cast<const unsigned char*>(key.text.data()),
                   static_cast<int>(key.text.size()));
    const Token owned(failed == 0 ? decoded : nullptr);
    ERR_clear_error();  // others of this thread look there, too
    // It was verified by the algorithm that it names: that must be the key's. What it says is
    // critical we do not know (RFC 7515, 4.1.11).
    if (failed != 0 || jwt_get_alg(decoded) != key.algorithm) continue;
    if (const Text critical(jwt_get_headers_json(decoded, "crit")); critical != nullptr) continue;
    double not_before = 0;
    if (!read_claims(decoded, claims, not_before)) break;
    if (now_s < not_before) return std::string(kEarly);
    if (now_s >= claims.expires_s) return std::string(kExpired);
    return {};
  }
  return std::string(kInvalid);
}

std::string Tokens::check(const std::optional<Claims>& claims, std::string_view room,
                          double now_s) const {
  if (!required()) return {};
  if (!claims) return std::string(kAbsent);
  if (now_s >= claims->expires_s) return std::string(kExpired);
  if (claims->room != room) return std::string(kOtherRoom);
  return {};
}

}  // namespace signalbox::signaling
