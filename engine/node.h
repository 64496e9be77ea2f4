// One node: the floors, wired. It serves on a loop from open() until it has shut down.
//
// Thread: the loop's.
// Owner: the engine, which owns the loop too.
#pragma once

#include <functional>
#include <memory>
#include <variant>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/engineio/server.h"
#include "engine/net/handler.h"
#include "engine/net/origin_policy.h"
#include "engine/net/server.h"
#include "engine/signaling/application.h"
#include "engine/signaling/health.h"
#include "engine/signaling/http_api.h"
#include "engine/socketio/server.h"
#include "engine/store/redis.h"
#include "engine/store/referrers.h"
#include "engine/store/rooms.h"

namespace signalbox {

class Node : private net::Handler {
 public:
  // Keeps references; throws std::runtime_error when the system refuses descriptors.
  Node(Loop& loop, const Options& options, const Log& log, signaling::RoomObserver observer);
  ~Node() override;

  // Binds the listener and begins to serve. kAddress, kInvalid or kSystem.
  Status open();
  uint16_t port() const { return net_.port(); }

  // Stops accepting, ends every session, and calls `done` once nothing is left to say, to clients
  // or to Redis, or when shutdown.timeout has passed.
  void shut_down(std::function<void()> done);

 private:
  size_t body_limit(const net::Request& request) override;
  void on_headers(const std::shared_ptr<net::HttpExchange>& exchange) override;
  void on_request(const std::shared_ptr<net::HttpExchange>& exchange) override;
  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request& request) override;
  bool for_engineio(const net::Request& request) const;
  void check_drained();

  Loop& loop_;
  const Options& options_;
  Counters counters_;
  net::OriginPolicy origins_;
  signaling::RoomObserver observer_;
  store::Redis redis_;
  store::Rooms rooms_;
  store::Referrers referrers_;
  signaling::Application application_;
  socketio::Server socketio_;
  engineio::Server engineio_;
  signaling::Health health_;
  signaling::HttpApi api_;
  net::Server net_;
  Timer drain_;
  uint64_t drain_until_ms_ = 0;
  std::function<void()> drained_;  // set: we are shutting down
};

}  // namespace signalbox
