// The room application as a whole: its events, its HTTP API, and the store behind both.
//
// Thread: the loop's.
// Owner: the node; it must outlive the floors that call its parts.
#pragma once

#include <functional>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/signaling/application.h"
#include "engine/signaling/health.h"
#include "engine/signaling/http_api.h"
#include "engine/signaling/room_hooks.h"
#include "engine/store/redis.h"
#include "engine/store/referrers.h"
#include "engine/store/rooms.h"

namespace signalbox::signaling {

class Service {
 public:
  // The namespace that the application serves.
  static constexpr const char* kNamespace = "/";

  // `connections`: how many clients are connected. Keeps all references.
  Service(Loop& loop, const Log& log, const Options& options, Counters& counters, RoomHooks hooks,
          std::function<size_t()> connections)
      : hooks_(std::move(hooks)),
        redis_(loop, log, options),
        rooms_(redis_, options),
        referrers_(redis_),
        application_(options, counters, rooms_, hooks_),
        health_(loop, options, redis_, std::move(connections)),
        api_(log, options, counters, rooms_, referrers_, application_, health_, hooks_) {}

  // Begins to connect to Redis.
  void open() { redis_.connect(); }
  // Ends the connection; every command under way is answered as unavailable inside this call.
  void close() { redis_.close(); }
  // Whether commands wait for Redis.
  bool busy() const { return redis_.health().pending != 0; }

  Application& application() { return application_; }
  HttpApi& api() { return api_; }

 private:
  const RoomHooks hooks_;
  store::Redis redis_;
  store::Rooms rooms_;
  store::Referrers referrers_;
  Application application_;
  Health health_;
  HttpApi api_;
};

}  // namespace signalbox::signaling
