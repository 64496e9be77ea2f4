// The HTTP API: routes, and what each does with rooms, referrers, ICE servers and health.
//
// Thread: the loop's.
// Owner: the engine; it must outlive the net::Server that calls it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/counters.h"
#include "engine/core/json.h"
#include "engine/core/log.h"
#include "engine/core/options.h"
#include "engine/net/http_exchange.h"
#include "engine/signaling/application.h"
#include "engine/signaling/health.h"
#include "engine/signaling/ice_servers.h"
#include "engine/signaling/tokens.h"
#include "engine/store/referrers.h"
#include "engine/store/rooms.h"

namespace signalbox::signaling {

class HttpApi {
 public:
  // Keeps references to all of them.
  HttpApi(Log& log, const Options& options, Counters& counters, store::Rooms& rooms,
          store::Referrers& referrers, IceServers& ice_servers, Application& application,
          const Health& health, const RoomHooks& hooks, const Tokens& tokens);

  size_t body_limit() const { return static_cast<size_t>(options_.http_max_body); }

  // Whether a path is one of ours.
  static bool has_path(std::string_view path) { return find_route(path) != nullptr; }

  void on_request(const std::shared_ptr<net::HttpExchange>& exchange);

 private:
  struct Route;
  using ExchangePointer = std::shared_ptr<net::HttpExchange>;
  static const Route* find_route(std::string_view path);

  void create_room(const ExchangePointer& exchange);
  void get_room(const ExchangePointer& exchange);
  void check_room(const ExchangePointer& exchange);
  void leave_room(const ExchangePointer& exchange);
  void set_track(const ExchangePointer& exchange);
  void give_ice_servers(const ExchangePointer& exchange);
  void log_debug(const ExchangePointer& exchange);
  void brief_health(const ExchangePointer& exchange);
  void detailed_health(const ExchangePointer& exchange);

  void try_room(const ExchangePointer& exchange, int attempt);
  // Creates the room in Redis if the host lets us; `refused` hears why it does not.
  void create(const ExchangePointer& exchange, const store::CreateRequest& request,
              std::function<void(store::CreateResult result)> done,
              std::function<void(const std::string& why)> refused);
  // The roomId of the body, or nothing: then the request has been answered.
  std::optional<std::string> room_id(const ExchangePointer& exchange, std::string_view body,
                                     std::string_view missing);
  // The secret and the capacity that the body gives a room, if it does; or false, as above.
  bool read_privacy(const ExchangePointer& exchange, std::string_view body,
                    store::CreateRequest& create);
  // Whether the client's token lets it use a room, where one is needed; or false, as above.
  bool authorized(const ExchangePointer& exchange, std::string_view room);
  // The same of a request that is for no certain room.
  bool authorized(const ExchangePointer& exchange, std::optional<Claims>& claims);
  void answer_limited(const ExchangePointer& exchange, const store::Refusal& refusal);
  void answer_unavailable(const ExchangePointer& exchange);

  Log& log_;
  const Options& options_;
  Counters& counters_;
  store::Rooms& rooms_;
  store::Referrers& referrers_;
  IceServers& ice_servers_;
  Application& application_;
  const Health& health_;
  const RoomHooks& hooks_;
  const Tokens& tokens_;
};

}  // namespace signalbox::signaling
