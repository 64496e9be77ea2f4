#include "engine/node.h"

#include <utility>

#include "engine/core/id.h"
#include "engine/net/http_exchange.h"

namespace signalbox {
namespace {

constexpr size_t kNodeIdLength = 4;
constexpr uint64_t kDrainCheckMs = 5;

}  // namespace

Node::Node(Loop& loop, const Options& options, const Log& log, signaling::RoomObserver observer)
    : loop_(loop),
      options_(options),
      origins_(options.cors_origins),
      observer_(std::move(observer)),
      redis_(loop, log, options),
      rooms_(redis_, options),
      referrers_(redis_),
      application_(options, counters_, rooms_, observer_),
      socketio_(loop, options, counters_, random_id(kNodeIdLength)),
      engineio_(loop, options, origins_, counters_,
                [this](engineio::Session& session) { return socketio_.accept(session); }),
      health_(loop, options, redis_, [this] { return engineio_.sessions(); }),
      api_(log, options, counters_, rooms_, referrers_, application_, health_, observer_),
      net_(loop, log, options, origins_, counters_, *this),
      drain_(loop, [this] { check_drained(); }) {
  application_.set_namespace(socketio_.add_namespace("/", application_));
}

// Connections end first, then what they asked of Redis, while everything that is called still
// lives.
Node::~Node() {
  net_.close();
  redis_.close();
}

Status Node::open() {
  Status status = net_.open();
  if (status.ok()) redis_.connect();
  return status;
}

bool Node::for_engineio(const net::Request& request) const {
  return request.path.starts_with(options_.socketio_path);
}

size_t Node::body_limit(const net::Request& request) {
  return for_engineio(request) ? engineio_.body_limit() : api_.body_limit();
}

void Node::on_headers(const std::shared_ptr<net::HttpExchange>& exchange) {
  if (!drained_ && for_engineio(exchange->request())) engineio_.on_headers(exchange);
}

void Node::on_request(const std::shared_ptr<net::HttpExchange>& exchange) {
  if (drained_) {
    exchange->respond(
        {.status = 503, .body = R"({"error":"The server is shutting down"})", .close = true});
  } else if (for_engineio(exchange->request())) {
    engineio_.on_request(exchange);
  } else {
    api_.on_request(exchange);
  }
}

std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> Node::on_upgrade(
    const net::Request& request) {
  if (drained_) return net::Response{.status = 503};
  if (for_engineio(request)) return engineio_.on_upgrade(request);
  return net::Response{.status = 404, .body = R"({"error":"Not found"})"};
}

void Node::shut_down(std::function<void()> done) {
  drained_ = std::move(done);
  drain_until_ms_ = loop_.now_ms() + static_cast<uint64_t>(options_.shutdown_timeout);
  net_.stop_listening();
  engineio_.close_all(engineio::CloseReason::kShutdown);
  drain_.start(kDrainCheckMs);
}

void Node::check_drained() {
  const bool silent = net_.web_sockets() == 0 && redis_.health().pending == 0;
  if (silent || loop_.now_ms() >= drain_until_ms_) {
    drained_();
  } else {
    drain_.start(kDrainCheckMs);
  }
}

}  // namespace signalbox
