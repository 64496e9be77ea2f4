// The HTTP server of the HTTP fuzzer: it listens on the loopback interface and serves one input
// after the other.
//
// Thread: the fuzzer's only one.
// Owner: the process; it is never taken down.
#pragma once

#include <memory>
#include <variant>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/net/handler.h"
#include "engine/net/origin_policy.h"
#include "engine/net/port_group.h"
#include "engine/net/server.h"

namespace fuzz {

// Tells what it was asked: at once, on /later in a later turn, and on /never not at all. Sends the
// messages of WebSockets back.
class HttpServer : private signalbox::net::Handler {
 public:
  HttpServer();

  uint16_t port() const { return net_.port(); }
  void turn(int timeout_ms) { loop_.turn(timeout_ms); }
  // Whether it has no connection, and nothing is waiting.
  bool idle();

 private:
  using ExchangePointer = std::shared_ptr<signalbox::net::HttpExchange>;
  size_t body_limit(const signalbox::net::Request& request) override;
  void on_request(const ExchangePointer& exchange) override;
  std::variant<std::unique_ptr<signalbox::net::WebSocketHandler>, signalbox::net::Response>
  on_upgrade(const signalbox::net::Request& request) override;

  signalbox::Loop loop_;
  signalbox::Options options_;
  signalbox::Log log_;
  signalbox::Counters counters_;
  const signalbox::net::OriginPolicy origins_;
  const signalbox::net::Place place_;
  signalbox::net::Server net_;
  size_t waiting_ = 0;  // on /never
};

}  // namespace fuzz
