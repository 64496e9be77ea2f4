// The HTTP and WebSocket server: our listener in front, libwebsockets behind it on the same loop.
// README.md in this folder tells what libwebsockets is kept from doing, and why.
//
// Thread: the loop's.
// Owner: the engine. It owns the WebSockets; it must outlive every HttpExchange it gave out. To
//   close it down: close(), while the handler still lives.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/deadline_queue.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/net/client_address.h"
#include "engine/net/connection.h"
#include "engine/net/event_pipe.h"
#include "engine/net/handler.h"
#include "engine/net/hangup_watch.h"
#include "engine/net/listener.h"
#include "engine/net/origin_policy.h"
#include "engine/net/port_group.h"
#include "engine/net/reception.h"
#include "engine/net/request_headers.h"
#include "engine/net/tls_gate.h"
#include "engine/net/waiting_line.h"

struct lws;
struct lws_context;
struct lws_vhost;

namespace signalbox::net {

struct SilentLog;

class Server {
 public:
  Server(Loop& loop, Log& log, const Options& options, const OriginPolicy& origins,
         Counters& counters, Handler& handler, Place place = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Whether open() could use these: kInvalid for what is wrong in proxy.trusted, proxy.protocol,
  // http.headers, tls.cert or tls.key, whose files are read. Any thread.
  static Status check(const Options& options);

  // Listens, on the socket of the group, and begins to serve. kAddress, kInvalid as check(), or
  // kSystem.
  Status open();

  // Whether the requests that come from now on hold their headers. Not unless asked for: they take
  // memory for as long as a poll waits.
  void keep_headers(bool keep) { headers_kept_ = keep; }

  // Reads certificate and key again, in a moment, for connections that come then; several calls
  // become one. What cannot be used is told in the log, and the old ones stay.
  void reload_certificate() { rereading_.start(kRereadMs); }

  // Tells in the log when limits.connections are more than the system has descriptors for.
  void compare_limits() const;

  // Stops accepting; connections live on, and those of its sessions still come where others accept
  // them.
  void stop_listening();

  // From a server that shares the port: a connection, and a request that was received there.
  void adopt(const std::shared_ptr<Arrival>& arrival);
  void take_over(const std::shared_ptr<HttpExchange>& exchange);

  // Ends every connection (each handler hears of it inside this call) and calls `closed` in a later
  // turn, once libwebsockets has let go of the loop; then, not earlier, this may be destroyed.
  // Nothing can be opened afterwards.
  void close(std::function<void()> closed);

  uint16_t port() const { return port_; }
  const OriginPolicy& origins() const { return origins_; }
  size_t web_sockets() const { return web_sockets_; }
  // See PortGroup.
  bool others_drain() const { return group_->others_drain(place_); }

 private:
  friend class HttpExchange;
  friend class WebSocket;
  friend class Dispatch;  // the callback of libwebsockets (dispatch.cpp)

  void accept(int fd, const Address& peer);
  // Has those who have waited longest for their first request make room, while more than
  // limits.handshakes wait in the group.
  void keep_lines_short();
  std::shared_ptr<Arrival> welcome(int fd, const Address& peer);
  // Notes who has the connection, and counts it for that address unless a proxy or balancer of ours
  // is there. False when the address has too many.
  bool admit(Presence& presence, const Address& peer);
  // A balancer has told whose the connection is. False when nothing is to be read from it here.
  bool introduce(Arrival& arrival, const Address& client);
  // Counts a connection behind a proxy for the client of its request, until the request is answered
  // or the connection ends. False when that has too many.
  bool admit_request(Connection& connection, const Address& client);
  // Gives a connection to the server whose session its request line names, or to the least busy.
  void give(const std::shared_ptr<Arrival>& arrival, std::string_view line);
  // Which other server has the session that the request names.
  std::optional<size_t> elsewhere(const Request& request) const;
  // Passes a request to the server that has its session; false when that is this one, or none.
  bool forward(HttpExchange& exchange);
  // libwebsockets has let go of it.
  void remove(Connection* connection);
  // Between two requests: has it wait in the reception, so that the next one is looked at before
  // libwebsockets reads it. False when it cannot.
  bool await_request(Connection& connection);
  void read_request(Connection& connection, const Clearance& more);
  void reread_certificate();
  void begin_closing();
  void go_on_closing();
  // While an answer is awaited nothing is read; the hang-up watch tells when a client goes whose
  // handler wants to know (HttpExchange::set_on_abort).
  void pause_reading(HttpExchange& exchange);
  void resume_reading(HttpExchange& exchange);
  void unwatch(HttpExchange& exchange);
  // Makes libwebsockets agree to the first of the subprotocols that a client offers, as the
  // reference does: it accepts only one that bears the name of a protocol of its own.
  void offer_subprotocol(const std::string& offered);
  // Makes libwebsockets call us back, at the end of this turn, to write the reply of `exchange`.
  void request_write(HttpExchange& exchange);
  void write_answers();
  // Tells libwebsockets that this connection is ready, ahead of the system. False when what it did
  // then has ended the connection.
  bool serve(int fd, short event);
  // Ends the connection of an exchange that has no answer, from wherever we are.
  void drop(HttpExchange& exchange);

  // Two options that change one after the other, as a certificate and its key do, are read
  // together.
  static constexpr uint64_t kRereadMs = 50;

  Loop& loop_;
  Log& log_;
  const Options& options_;
  Counters& counters_;
  Handler& handler_;
  const OriginPolicy& origins_;
  std::vector<AddressRange> trusted_;
  std::vector<AddressRange> balancers_;  // whose connections begin with a PROXY header
  RequestHeaders shown_headers_;
  bool headers_kept_ = false;
  const std::shared_ptr<PortGroup> group_;
  const size_t place_;  // in it
  WaitingLine line_;
  Listener listener_;
  std::unique_ptr<Reception> reception_;
  std::unique_ptr<TlsGate> gate_;  // null: the port does not speak TLS
  uint16_t port_ = 0;
  HangupWatch hangups_;
  std::unique_ptr<SilentLog> lws_log_;
  struct lws_context* context_ = nullptr;
  EventPipe event_pipe_;
  struct lws_vhost* vhost_ = nullptr;
  DeadlineQueue leaving_;  // of connections that are there for the rest of a body only
  std::vector<std::weak_ptr<HttpExchange>> answered_;  // whose replies have yet to be written
  EndOfTurn answering_;
  Timer waking_;  // of libwebsockets, after a serve()
  Timer rereading_;
  Timer closing_;
  int closing_turns_ = 0;
  std::function<void()> closed_;
  Connection* adopting_ = nullptr;  // the one that libwebsockets is taking just now
  size_t web_sockets_ = 0;
  int descriptor_limit_ = 0;
  size_t most_connections_ = 0;  // that there are descriptors for
  // The name of libwebsockets' protocol, see offer_subprotocol().
  std::array<char, 64> subprotocol_{};
  std::string scratch_;  // where a message gets the room in front that libwebsockets wants
};

}  // namespace signalbox::net
