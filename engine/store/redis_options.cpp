#include "engine/store/redis_options.h"

#include <memory>
#include <string>
#include <string_view>

#include "engine/store/redis_tls.h"
#include "engine/store/redis_url.h"
#include "engine/store/sentinel.h"

namespace signalbox::store {
namespace {

// A URL as it may be shown: nothing that could be a password must get into a log. Where it is no
// URL, a login could be anywhere in it.
std::string without_login(const std::string& url) {
  if (url.find('@') == std::string::npos) return url;
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string::npos || url.find_first_of(":@") < scheme_end) return "***";
  return url.substr(0, scheme_end) + "://***";
}

Status refused(std::string_view option, std::string_view why) {
  return {ErrorCode::kInvalid, "option " + std::string(option) + ": " + std::string(why)};
}

// What is set in vain was meant to do something.
Status needs(const std::string& value, std::string_view option, std::string_view other) {
  if (value.empty()) return {};
  return refused(option, "is of no use without " + std::string(other));
}

Status validate_sentinels(const Options& options, const RedisUrl& url) {
  if (options.redis_sentinels.empty()) {
    Status status = needs(options.redis_master_name, "redis.master_name", "redis.sentinels");
    if (!status.ok()) return status;
    return needs(options.redis_sentinel_password, "redis.sentinel_password", "redis.sentinels");
  }
  if (options.redis_master_name.empty()) {
    return refused("redis.sentinels", "needs redis.master_name, the name of the master to ask for");
  }
  if (url.is_unix) {
    return refused("redis.sentinels", "does not go with a redis.url of unix://");
  }
  for (const std::string& sentinel : options.redis_sentinels) {
    RedisUrl ignored;
    const Status status = parse_redis_address(sentinel, kSentinelPort, ignored);
    if (!status.ok()) {
      return refused("redis.sentinels", "'" + sentinel + "' is not allowed; " + status.text());
    }
  }
  return {};
}

Status validate_cluster(const Options& options, const RedisUrl& url) {
  if (!options.redis_cluster) return {};
  if (!options.redis_sentinels.empty()) {
    return refused("redis.cluster", "does not go with redis.sentinels");
  }
  if (url.db == 0) return {};
  return refused("redis.url", "a Redis Cluster (redis.cluster) has database 0 only, not " +
                                  std::to_string(url.db));
}

Status validate_tls(const Options& options, const RedisUrl& url) {
  if (url.tls) {
    if (!options.redis_tls_cert.empty() && options.redis_tls_key.empty()) {
      return refused("redis.tls_cert", "needs redis.tls_key");
    }
    Status status = options.redis_tls_cert.empty()
                        ? needs(options.redis_tls_key, "redis.tls_key", "redis.tls_cert")
                        : Status();
    if (!status.ok()) return status;
    std::unique_ptr<RedisTls> ignored;
    return RedisTls::create(options, ignored);
  }
  constexpr std::string_view kUrl = "a redis.url of rediss://";
  Status status = needs(options.redis_tls_ca, "redis.tls_ca", kUrl);
  if (status.ok()) status = needs(options.redis_tls_cert, "redis.tls_cert", kUrl);
  if (status.ok()) status = needs(options.redis_tls_key, "redis.tls_key", kUrl);
  return status;
}

}  // namespace

Status validate_redis_options(const Options& options) {
  RedisUrl url;
  Status status = parse_redis_url(options.redis_url, url);
  if (!status.ok()) {
    return refused("redis.url",
                   "'" + without_login(options.redis_url) + "' is not allowed; " + status.text());
  }
  status = validate_sentinels(options, url);
  if (status.ok()) status = validate_cluster(options, url);
  if (status.ok()) status = validate_tls(options, url);
  return status;
}

bool same_redis(const Options& a, const Options& b) {
  return a.redis_url == b.redis_url && a.redis_cluster == b.redis_cluster &&
         a.redis_sentinels == b.redis_sentinels && a.redis_master_name == b.redis_master_name;
}

}  // namespace signalbox::store
