#include "engine/net/http_exchange.h"

#include <utility>

#include "engine/net/chunked_decoder.h"
#include "engine/net/gzip.h"
#include "engine/net/server.h"

namespace signalbox::net {

HttpExchange::HttpExchange(Server& server, struct lws* wsi, Request request)
    : server_(&server), wsi_(wsi), request_(std::move(request)) {}

HttpExchange::HttpExchange(Request request, std::function<void(Response)> answer)
    : answer_(std::move(answer)), request_(std::move(request)) {}

HttpExchange::~HttpExchange() = default;

void HttpExchange::respond(Response response) {
  if (answered_ || gone()) return;
  answered_ = true;
  on_abort_ = nullptr;
  if (answer_) {
    std::exchange(answer_, nullptr)(std::move(response));
    return;
  }
  close_ = close_ || response.close;
  // Where a body ends that nobody wanted cannot be told.
  last_ = !delivered_;
  response.close = close_ || last_;
  if (response.compress && request_.accepts_gzip) gzip_body(response);
  std::string_view preflight;
  if (request_.method == Method::kOptions)
    preflight = server_->handler_.preflight_methods(request_);
  reply_ = serialize(response, request_.method, request_.keep_alive,
                     server_->origins().headers(request_.origin, request_.host, preflight));
  // Inside a callback of libwebsockets for this connection the reply goes out when the callback
  // ends.
  if (!in_callback_) server_->request_write(*this);
}

void HttpExchange::client_left() {
  wsi_ = nullptr;
  answer_ = nullptr;
  if (auto on_abort = std::exchange(on_abort_, nullptr)) on_abort();
}

}  // namespace signalbox::net
