// The STUN and TURN servers that a browser needs where it cannot reach its peer directly, as the
// `iceServers` of its RTCPeerConnection takes them. TURN servers want credentials: those made here
// open them for a while, by a secret that only they and this process know (coturn's
// use-auth-secret; draft-uberti-behave-turn-rest-00).
//
// Thread: the loop's.
// Owner: the Service. Destroying its Redis answers what is pending first.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/store/limits.h"

namespace signalbox::signaling {

struct TurnCredentials {
  std::string username;
  std::string credential;
};

// What opens TURN servers with that secret until then. `user` tells those of one moment apart, for
// a server's quota counts by it; it has no colon.
TurnCredentials turn_credentials(std::string_view secret, int64_t expires_s, std::string_view user);

class IceServers {
 public:
  // Keeps the references, which must outlive it.
  IceServers(store::Commands& redis, const Options& options)
      : options_(options), limits_(redis, options) {}

  // kInvalid when a TURN server is named and no secret.
  static Status validate(const Options& options);

  // kUnavailable: Redis is away, slow or refuses.
  enum class Result { kGiven, kLimited, kUnavailable };
  struct Answer {
    Result result = Result::kUnavailable;
    std::string json = {};        // kGiven: {"iceServers":[...],"ttl":seconds}
    store::Refusal refusal = {};  // kLimited
  };

  // `who`: the address whose limit counts it. `done` is called exactly once, inside this call where
  // Redis need not be asked.
  void ask(std::string_view who, std::function<void(const Answer& answer)> done);

 private:
  std::string json() const;

  const Options& options_;
  store::Limits limits_;
};

}  // namespace signalbox::signaling
