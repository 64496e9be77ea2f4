#include "engine/store/redis_tls.h"

namespace signalbox::store {

const bool RedisTls::kBuilt = false;

Status RedisTls::create(const Options&, std::unique_ptr<RedisTls>&) {
  return {ErrorCode::kInvalid, "option redis.url: this build has no TLS to Redis"};
}

RedisTls::~RedisTls() = default;

Status RedisTls::start(redisContext*, const std::string&, Session&) const {
  return {ErrorCode::kInvalid, "this build has no TLS to Redis"};
}

std::string RedisTls::refusal(const Session&) {
  return "";
}

}  // namespace signalbox::store
