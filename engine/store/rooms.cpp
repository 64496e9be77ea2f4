#include "engine/store/rooms.h"

#include "engine/core/options.h"
#include "engine/store/atomic_rooms.h"
#include "engine/store/split_rooms.h"

namespace signalbox::store {

std::unique_ptr<Rooms> make_rooms(Commands& redis, const Options& options, Registry& registry) {
  if (options.redis_cluster) return std::make_unique<SplitRooms>(redis, options, registry);
  return std::make_unique<AtomicRooms>(redis, options, registry);
}

}  // namespace signalbox::store
