// One node: the floors, wired. It serves on a loop from open() until it has shut down.
//
// Thread: the loop's.
// Owner: the engine, which owns the loop too.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/engineio/drain.h"
#include "engine/engineio/server.h"
#include "engine/host/host.h"
#include "engine/host/program.h"
#include "engine/host_bus.h"
#include "engine/net/handler.h"
#include "engine/net/origin_policy.h"
#include "engine/net/port_group.h"
#include "engine/net/server.h"
#include "engine/signaling/service.h"
#include "engine/socketio/server.h"
#include "engine/store/siblings.h"

namespace signalbox {

class Node : private net::Handler {
 public:
  // Keeps references; throws std::runtime_error when the system refuses descriptors.
  Node(Loop& loop, const Options& options, Log& log, Counters& counters,
       const signaling::RoomObservers& observers, const host::Program& program,
       const net::Place& place, std::shared_ptr<store::Siblings> siblings);
  ~Node() override;

  // Binds the listener and begins to serve. kAddress, kInvalid or kSystem.
  Status open();
  uint16_t port() const { return net_.port(); }

  host::Host& host() { return host_; }
  // After the host's program has changed.
  void refresh();
  // After an option has changed: what was derived from it is made anew.
  void follow_option(std::string_view name);
  // Sends a packet to a room of the room application, which must be enabled; `except`: a socket's
  // id or empty.
  void broadcast_to_peers(const std::string& room, const std::string& except,
                          const host::Message& message);

  // Stops accepting, sends the clients away one after another (see engineio::Drain; option
  // shutdown.drain), and calls `done` in a later turn, once nothing is left to say, to clients or
  // to Redis, or when shutdown.timeout has passed since the last client's turn. Then, not earlier,
  // this may be destroyed.
  void shut_down(std::function<void()> done);
  // Sends away at once those clients whose turn has not come.
  void hurry() { drain_.hurry(); }

 private:
  size_t body_limit(const net::Request& request) override;
  void on_headers(const std::shared_ptr<net::HttpExchange>& exchange) override;
  void on_request(const std::shared_ptr<net::HttpExchange>& exchange) override;
  std::string_view preflight_methods(const net::Request& request) override;
  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request& request) override;
  bool for_engineio(const net::Request& request) const;
  bool for_api(const net::Request& request) const;
  signaling::RoomHooks room_hooks(Log& log, const signaling::RoomObservers& observers,
                                  const host::Program& program);
  void on_renamed(const std::string& id);
  void on_drained();
  void check_silence();

  Loop& loop_;
  const Options& options_;
  Counters& counters_;
  net::OriginPolicy origins_;
  std::unique_ptr<signaling::Service> signaling_;  // null: signaling.enabled is off
  std::unique_ptr<HostBus> host_bus_;              // with signaling_
  socketio::Server socketio_;
  host::Host host_;
  engineio::Server engineio_;
  net::Server net_;
  engineio::Drain drain_;
  Timer silence_;
  bool drained_ = false;         // no session is open any more
  bool silent_ = false;          // when it was last checked
  bool left_ = false;            // Redis does not know this node any more
  std::function<void()> ended_;  // what shut_down() was given
};

}  // namespace signalbox
