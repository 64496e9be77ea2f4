#include "engine/store/commands.h"

#include "engine/store/cluster_client.h"
#include "engine/store/redis.h"
#include "engine/store/sha1.h"

namespace signalbox::store {

Script::Script(std::string_view text) : text_(text), sha_(sha1_hex(text)) {}

std::unique_ptr<Commands> make_redis(Loop& loop, Log& log, const Options& options,
                                     Counters& counters) {
  if (options.redis_cluster) return std::make_unique<RedisCluster>(loop, log, options, counters);
  return std::make_unique<Redis>(loop, log, options, counters);
}

}  // namespace signalbox::store
