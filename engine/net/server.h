// The HTTP and WebSocket server: our listener in front, libwebsockets behind it on the same loop.
// README.md in this folder tells what libwebsockets is kept from doing, and why.
//
// Thread: the loop's.
// Owner: the engine. It owns the WebSockets; it must outlive every HttpExchange it gave out. To
// close
//   it down: close(), while the handler still lives.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/net/client_address.h"
#include "engine/net/handler.h"
#include "engine/net/hangup_watch.h"
#include "engine/net/listener.h"
#include "engine/net/origin_policy.h"
#include "engine/net/request_headers.h"

struct lws;
struct lws_context;
struct lws_vhost;

namespace signalbox::net {

class Server {
 public:
  Server(Loop& loop, const Log& log, const Options& options, const OriginPolicy& origins,
         Counters& counters, Handler& handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds the listener and begins to serve. kAddress, kInvalid (proxy.trusted, http.headers), or
  // kSystem.
  Status open();

  // Whether the requests that come from now on hold their headers. Not unless asked for: they take
  // memory for as long as a poll waits.
  void keep_headers(bool keep) { headers_kept_ = keep; }

  // Stops accepting; connections live on.
  void stop_listening() { listener_.close(); }

  // Ends every connection (each handler hears of it inside this call) and calls `closed` in a later
  // turn, once libwebsockets has let go of the loop; then, not earlier, this may be destroyed.
  // Nothing can be opened afterwards.
  void close(std::function<void()> closed);

  uint16_t port() const { return listener_.port(); }
  const OriginPolicy& origins() const { return origins_; }
  size_t web_sockets() const { return web_sockets_; }

 private:
  friend class HttpExchange;
  friend class WebSocket;
  friend class Dispatch;  // the callback of libwebsockets (dispatch.cpp)

  void adopt(int fd);
  void go_on_closing();
  // While an answer is awaited nothing is read; the hang-up watch tells when a client goes whose
  // handler wants to know (HttpExchange::set_on_abort).
  void pause_reading(HttpExchange& exchange);
  void resume_reading(HttpExchange& exchange);
  void unwatch(HttpExchange& exchange);
  // Makes libwebsockets agree to the first of the subprotocols that a client offers, as the
  // reference does: it accepts only one that bears the name of a protocol of its own.
  void offer_subprotocol(const std::string& offered);
  // Makes libwebsockets call us back when the reply of `exchange` can be written.
  void request_write(HttpExchange& exchange);

  Loop& loop_;
  const Log& log_;
  const Options& options_;
  Counters& counters_;
  Handler& handler_;
  const OriginPolicy& origins_;
  std::vector<AddressRange> trusted_;
  RequestHeaders shown_headers_;
  bool headers_kept_ = false;
  Listener listener_;
  HangupWatch hangups_;
  struct lws_context* context_ = nullptr;
  struct lws_vhost* vhost_ = nullptr;
  Timer closing_;
  int closing_turns_ = 0;
  std::function<void()> closed_;
  size_t connections_ = 0;
  size_t web_sockets_ = 0;
  int descriptor_limit_ = 0;
  // The name of libwebsockets' protocol, see offer_subprotocol().
  std::array<char, 64> subprotocol_{};
  std::string scratch_;  // where a message gets the room in front that libwebsockets wants
};

}  // namespace signalbox::net
