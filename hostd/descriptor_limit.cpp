#include "hostd/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace hostd {
namespace {

// Of the process, and of each engine: its loop, its connections to Redis and to other engines.
constexpr rlim_t kOfProcess = 256;
constexpr rlim_t kOfEngine = 64;
// With TLS the client's, and the pair to its decrypted side.
constexpr rlim_t kOfConnection = 1;
constexpr rlim_t kOfTlsConnection = 3;

}  // namespace

void fit_descriptor_limit(const Settings& settings) {
  const bool tls = !settings.values.at("tls.cert").empty();
  const rlim_t connections = std::stoul(settings.values.at("limits.connections"));
  const rlim_t needed = kOfProcess + kOfEngine * settings.workers() +
                        connections * (tls ? kOfTlsConnection : kOfConnection);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace hostd
