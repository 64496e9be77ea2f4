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
  try {
    render(response);
  } catch (...) {
    close_ = true;  // there is nothing to send
    if (!in_callback_) server_->drop(*this);
    throw;
  }
  // Inside a callback of libwebsockets for this connection the reply goes out when the callback
  // ends.
  if (!in_callback_) server_->request_write(*this);
}

void HttpExchange::render(Response& response) {
  close_ = close_ || response.close;
  // A body that nobody wanted is only waited for so that its client reads the answer.
  last_ = !delivered_;
  response.close = close_ || last_;
  if (response.compress && request_.accepts_gzip) gzip_body(response);
  std::string_view preflight;
  if (request_.method == Method::kOptions)
    preflight = server_->handler_.preflight_methods(request_);
  reply_ = serialize(response, request_.method, request_.keep_alive,
                     server_->origins().headers(request_.origin, request_.host, preflight));
}

std::shared_ptr<HttpExchange> HttpExchange::share() {
  // Let go there, not with the deleter: that lives as long as a weak pointer to what it deletes.
  return {this, [self = shared_from_this()](HttpExchange*) mutable {
            std::exchange(self, nullptr)->abandon();
          }};
}

void HttpExchange::abandon() {
  if (answered_ || gone()) return;
  answered_ = true;
  on_abort_ = nullptr;
  server_->drop(*this);
}

void HttpExchange::client_left() {
  wsi_ = nullptr;
  answer_ = nullptr;
  if (auto on_abort = std::exchange(on_abort_, nullptr)) on_abort();
}

}  // namespace signalbox::net
