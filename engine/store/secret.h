// Secrets of rooms, as Redis keeps and compares them: never as they are.
//
// A node makes a digest of the secret and the room's name (HMAC-SHA-256), and that is all that
// leaves it. Redis keeps a hash of the digest and of a random salt, SHA-1 because its scripts have
// no other; they can so compare without telling anybody the salt, which would take one more round
// trip.
//
// Thread: any; no state.
#pragma once

#include <string>
#include <string_view>

namespace signalbox::store {

// Empty of an empty secret. Throws std::runtime_error when OpenSSL fails.
std::string secret_digest(std::string_view room, std::string_view secret);

// "<salt>:<hash>" with a new salt; empty of an empty digest.
std::string salted(std::string_view digest);

}  // namespace signalbox::store
