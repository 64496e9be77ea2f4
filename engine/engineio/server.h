// Engine.IO 4 over HTTP long polling and WebSockets: verifies requests, keeps the sessions.
// https://github.com/socketio/engine.io-protocol (revision 4); where it is silent engine.io 6.6 is
// the reference.
//
// Thread: the loop's.
// Owner: the engine; it must outlive the net::Server that calls it. It owns the sessions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/deadline_queue.h"
#include "engine/core/options.h"
#include "engine/engineio/packet_allowance.h"
#include "engine/engineio/session.h"
#include "engine/net/handler.h"
#include "engine/net/origin_policy.h"
#include "engine/net/port_group.h"

namespace signalbox::engineio {

class Server {
 public:
  // Whether a client may open a session: 0, or for how many seconds it may not.
  using Admit = std::function<int64_t(const net::Address& client)>;
  // Makes the handler of a new session.
  using Accept = std::function<std::unique_ptr<SessionHandler>(Session& session)>;

  // Keeps references to all but `accept` and `place`, which is that of the net::Server.
  Server(Loop& loop, const Options& options, const net::OriginPolicy& origins, Counters& counters,
         Accept accept, net::Place place = {});
  ~Server();

  // Asked of each new session; without it all are let in.
  void set_admit(Admit admit) { admit_ = std::move(admit); }

  // The requests under our path, as net::Handler has them.
  size_t body_limit() const { return static_cast<size_t>(options_.engineio_max_payload); }
  void on_headers(const std::shared_ptr<net::HttpExchange>& exchange);
  void on_request(const std::shared_ptr<net::HttpExchange>& exchange);
  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request& request);

  // Opens no more sessions; those that there are go on, also on polling.
  void stop_accepting() { accepting_ = false; }

  // Those that are open, in no order; valid in this turn of the loop.
  std::vector<Session*> open_sessions() const;

  // Ends every session; each handler hears of it inside this call.
  void close_all(CloseReason reason);

  // Whether a client on polling has yet to fetch messages, and can although nobody listens any
  // more.
  bool owes_messages() const;

  // Whether the sessions that are opened from now on keep what their request said; see
  // net::Server::keep_headers(). Not unless asked for: it takes memory for as long as they live.
  void keep_handshakes(bool keep) { handshakes_kept_ = keep; }

 private:
  friend class Drain;
  friend class Session;
  friend class WebSocketTransport;
  static constexpr int64_t kMsPerSecond = 1000;

  // The protocol's error codes, as far as we give them.
  enum class Refusal { kTransport, kSession, kMethod, kRequest, kForbidden, kVersion };
  static net::Response refuse(Refusal refusal);

  struct Verdict {
    std::optional<Refusal> refusal;
    Session* session = nullptr;  // null: a handshake
  };
  Verdict verify(const net::Request& request, bool upgrade);

  // Why a client cannot open a session now; nothing when it can, which counts as one.
  std::optional<net::Response> obstacle(const net::Request& request);
  // What a session keeps of the request that opens it; null unless keep_handshakes() asked for it.
  std::unique_ptr<const Handshake> keep(const net::Request& request) const;
  Session& open_session(const net::Address& client, std::unique_ptr<const Handshake> handshake);
  // The data of the packet that begins a session.
  std::string open_packet(const Session& session, bool may_upgrade) const;
  Session* find(std::string_view id);
  PacketAllowance::Rate packet_rate() const {
    return {options_.limits_packet_count, kMsPerSecond * options_.limits_packet_window};
  }
  // Takes a closed session out of the table; it is destroyed in a later turn.
  void retire(Session& session);
  void reap();

  Loop& loop_;
  const Options& options_;
  const net::OriginPolicy& origins_;
  Counters& counters_;
  Admit admit_;
  Accept accept_;
  const net::Place place_;
  bool handshakes_kept_ = false;
  bool accepting_ = true;
  std::unordered_map<std::string_view, std::unique_ptr<Session>> sessions_;  // by Session::id()
  std::unique_ptr<Session> retired_;  // the first of a list: retire() must not need memory
  Timer reaper_;
  DeadlineQueue pings_;     // ping_interval: time to send a ping
  DeadlineQueue pongs_;     // ping_timeout: time by which the pong must be here
  DeadlineQueue upgrades_;  // upgrade_timeout
  DeadlineQueue turns_;     // time to go on with a POST, others have had their turn
  DeadlineQueue rests_;     // time to look whether more packets of a client may be taken
};

}  // namespace signalbox::engineio
