// The one callback of libwebsockets, turned into calls of HttpExchange, WebSocket and Handler.
//
// Thread: the loop's.
// Owner: no state of its own; each connection's state is its Connection.
#pragma once

#include <libwebsockets.h>

#include <memory>

#include "engine/net/attachment.h"
#include "engine/net/server.h"
#include "engine/net/web_socket.h"

namespace signalbox::net {

class Dispatch {
 public:
  // As libwebsockets wants it: nonzero ends the connection.
  static int callback(struct lws* wsi, enum lws_callback_reasons reason, void* user, void* in,
                      size_t length);

 private:
  static int dispatch(Server& server, struct lws* wsi, enum lws_callback_reasons reason, void* in,
                      size_t length);
  static Request read(Server& server, struct lws* wsi);
  static int on_http(Server& server, struct lws* wsi);
  static int on_body(Server& server, struct lws* wsi, const char* data, size_t length);
  // Counts what has come of a body. False, and the body is let go, when too much is kept.
  static bool keep_body(Server& server, HttpExchange& exchange);
  static int on_body_complete(Server& server, struct lws* wsi);
  static int on_upgrade(Server& server, struct lws* wsi);
  static int on_established(Server& server, struct lws* wsi);
  static void on_http_closed(Server& server, struct lws* wsi);

  static void deliver(Server& server, HttpExchange& exchange);
  // One whose body is too large.
  static void refuse_body(Server& server, HttpExchange& exchange);
  static void refuse(HttpExchange& exchange, int status, const char* error,
                     const char* headers = "");
  // The end of each callback: sends the reply if there is one, or pauses reading until there is.
  static int settle(Server& server, HttpExchange& exchange, bool request_complete);
  static int send_reply(Server& server, HttpExchange& exchange);
  // The answer has been taken: makes the connection ready for the next request, or ends it.
  static int finish(Server& server, HttpExchange& exchange);
};

}  // namespace signalbox::net
