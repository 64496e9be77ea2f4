// The room application as a whole: its events, its HTTP API, and the store behind both.
//
// Thread: the loop's.
// Owner: the node; it must outlive the floors that call its parts.
#pragma once

#include <functional>
#include <memory>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/signaling/application.h"
#include "engine/signaling/health.h"
#include "engine/signaling/http_api.h"
#include "engine/signaling/ice_servers.h"
#include "engine/signaling/joins.h"
#include "engine/signaling/members.h"
#include "engine/signaling/neighbours.h"
#include "engine/signaling/room_hooks.h"
#include "engine/signaling/tokens.h"
#include "engine/store/commands.h"
#include "engine/store/referrers.h"
#include "engine/store/session_limit.h"

namespace signalbox::signaling {

class Service {
 public:
  // The namespace that the application serves.
  static constexpr const char* kNamespace = "/";

  // `siblings`: the nodes of this process that clients may reach by the same port; `connections`:
  // how many clients are connected. Keeps all references.
  Service(Loop& loop, Log& log, const Options& options, Counters& counters,
          std::shared_ptr<store::Siblings> siblings, RoomHooks hooks,
          std::function<size_t()> connections)
      : hooks_(std::move(hooks)),
        members_(counters),
        redis_(store::make_redis(loop, log, options, counters)),
        referrers_(*redis_, options),
        ice_servers_(*redis_, options),
        session_limit_(loop, *redis_, options),
        neighbours_(loop, log, options, counters, *redis_, std::move(siblings), members_),
        joins_(counters, hooks_, members_, neighbours_),
        tokens_(options),
        application_(log, counters, members_, joins_, neighbours_, hooks_, tokens_),
        health_(loop, options, *redis_, std::move(connections)),
        api_(log, options, counters, neighbours_.rooms(), referrers_, ice_servers_, application_,
             health_, hooks_, tokens_) {}

  // The namespace that the application serves; before open().
  void set_namespace(socketio::Namespace& nsp) { members_.set_namespace(nsp); }

  // Begins to connect to Redis.
  void open() { neighbours_.open(); }
  // The node is about to go: the health reports say so.
  void drain() { health_.drain(); }
  // Takes the node out of Redis, once its sockets are.
  void leave() { neighbours_.leave(); }
  // Ends the connections; every command under way is answered as unavailable inside this call.
  void close() {
    neighbours_.close();
    redis_->close();
  }
  // Whether the HTTP API needs the headers of requests.
  bool wants_headers() const { return tokens_.required(); }
  // Whether commands wait for Redis, or messages for other nodes.
  bool busy() const { return redis_->health().pending != 0 || neighbours_.busy(); }

  Neighbours& neighbours() { return neighbours_; }
  store::SessionLimit& session_limit() { return session_limit_; }
  Application& application() { return application_; }
  HttpApi& api() { return api_; }

 private:
  const RoomHooks hooks_;
  Members members_;
  std::unique_ptr<store::Commands> redis_;
  store::Referrers referrers_;
  IceServers ice_servers_;
  store::SessionLimit session_limit_;
  Neighbours neighbours_;
  Joins joins_;
  const Tokens tokens_;
  Application application_;
  Health health_;
  HttpApi api_;
};

}  // namespace signalbox::signaling
