// Tokens that say which room their bearer may use: JSON Web Tokens (RFC 7519) with the claims
// `room` and `exp`, and `nbf` if it is there. libjwt parses them and OpenSSL checks the signature;
// this file decides what is believed. Clients need them when a key is configured.
//
// The algorithm is that of the key, whatever a token says: a token must not have itself verified by
// another one, such as an RSA key taken for a secret of HMAC.
//
// Thread: any, once made; no state that changes.
// Owner: the Service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/options.h"
#include "engine/core/status.h"

namespace signalbox::signaling {

// What a valid token said. It may have expired since.
struct Claims {
  std::string room;
  double expires_s = 0;  // seconds since the epoch
};

class Tokens {
 public:
  // Takes the keys of the options, which must be valid.
  explicit Tokens(const Options& options);
  // kInvalid, with the reason, when a key cannot be read or is too weak.
  static Status validate(const Options& options);

  // Whether clients need one.
  bool required() const { return !keys_.empty(); }

  // Reads a token. Empty, or why it is not valid, for the client.
  std::string read(std::string_view token, double now_s, Claims& claims) const;

  // Whether the bearer of `claims` may use a room. Empty, or why not, for the client.
  std::string check(const std::optional<Claims>& claims, std::string_view room, double now_s) const;

  static constexpr std::string_view kAbsent = "A token is required";
  static constexpr std::string_view kInvalid = "The token is not valid";
  static constexpr std::string_view kEarly = "The token is not valid yet";
  static constexpr std::string_view kExpired = "The token has expired";
  static constexpr std::string_view kOtherRoom = "The token is for another room";

 private:
  struct Key {
    int algorithm;  // jwt_alg_t
    std::string text;
  };
  static Status load(const Options& options, std::vector<Key>& keys);

  std::vector<Key> keys_;
};

}  // namespace signalbox::signaling
