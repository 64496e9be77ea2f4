#include "engine/net/http_exchange.h"

#include <utility>

#include "engine/net/chunked_decoder.h"
#include "engine/net/gzip.h"
#include "engine/net/server.h"

namespace signalbox::net {

HttpExchange::HttpExchange(Server& server, struct lws* wsi, Request request)
    : server_(server), wsi_(wsi), request_(std::move(request)) {}

HttpExchange::~HttpExchange() = default;

void HttpExchange::respond(Response response) {
  if (answered_ || wsi_ == nullptr) return;
  answered_ = true;
  on_abort_ = nullptr;
  close_ = close_ || response.close;
  response.close = close_;
  if (response.compress && request_.accepts_gzip) gzip_body(response);
  std::string_view preflight;
  if (request_.method == Method::kOptions) preflight = server_.handler_.preflight_methods(request_);
  reply_ = serialize(response, request_.method, request_.keep_alive,
                     server_.origins().headers(request_.origin, request_.host, preflight));
  // Inside a callback of libwebsockets for this connection the reply goes out when the callback
  // ends.
  if (!in_callback_) server_.request_write(*this);
}

}  // namespace signalbox::net
