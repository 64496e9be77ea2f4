#include "engine/store/commands.h"

#include "engine/store/redis.h"
#include "engine/store/sha1.h"

namespace signalbox::store {

Script::Script(std::string_view text) : text_(text), sha_(sha1_hex(text)) {}

Status validate_redis_options(const Options& options) {
  return Redis::validate_url(options.redis_url);
}

std::unique_ptr<Commands> make_redis(Loop& loop, const Log& log, const Options& options) {
  return std::make_unique<Redis>(loop, log, options);
}

}  // namespace signalbox::store
