// The Engine.IO floor alone: echoes every message on path /engine.io/, on both transports, until it
// is told to end. A conformance suite can be pointed at it; and it links nothing above engineio,
// which shows that the floors are real.
//
//   engineio_echo [PORT [PING_INTERVAL PING_TIMEOUT [PACKETS WINDOW]]]
//
// The port is 3000 by default; 0 takes a free one, which the first line of output names. The
// heartbeat is what suites expect by default: 300 and 200 ms. A client may send any number of
// packets, or so many within so many seconds.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <span>
#include <utility>

#include "engine/core/counters.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/engineio/server.h"
#include "engine/net/http_exchange.h"
#include "engine/net/origin_policy.h"
#include "engine/net/server.h"
#include "tests/apps/serve.h"

namespace {

using namespace signalbox;

class Echo : public engineio::SessionHandler {
 public:
  explicit Echo(engineio::Session& session) : session_(session) {}
  void on_message(std::string_view data, bool binary) override { session_.send(data, binary); }
  void on_close(engineio::CloseReason /*reason*/) override {}

 private:
  engineio::Session& session_;
};

// Everything goes to Engine.IO; there is nothing else here.
class Front : public net::Handler {
 public:
  explicit Front(engineio::Server& engineio) : engineio_(engineio) {}
  size_t body_limit(const net::Request& /*request*/) override { return engineio_.body_limit(); }
  void on_headers(const std::shared_ptr<net::HttpExchange>& exchange) override {
    engineio_.on_headers(exchange);
  }
  void on_request(const std::shared_ptr<net::HttpExchange>& exchange) override {
    engineio_.on_request(exchange);
  }
  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request& request) override {
    return engineio_.on_upgrade(request);
  }

 private:
  engineio::Server& engineio_;
};

// `arguments` are those of the program, as far as they were given.
int serve(std::span<char*> arguments) {
  Options options;
  std::array<std::pair<const char*, const char*>, 5> values{{
      {"listen.port", "3000"},
      {"engineio.ping_interval", "300"},
      {"engineio.ping_timeout", "200"},
      {"limits.packet_count", "0"},
      {"limits.packet_window", "1"},
  }};
  for (size_t i = 0; i < std::min(arguments.size(), values.size()); ++i) {
    values[i].second = arguments[i];
  }
  for (const auto& [name, value] : values) {
    const Status set = set_option(options, name, value);
    if (set.ok()) continue;
    std::fprintf(stderr, "engineio_echo: %s\n", set.text().c_str());
    return 2;
  }
  Loop loop;
  Log log = apps::log_to_stderr();
  Counters counters;
  const net::OriginPolicy origins({"*"});
  engineio::Server engineio(loop, options, origins, counters, [](engineio::Session& session) {
    return std::make_unique<Echo>(session);
  });
  Front front(engineio);
  net::Server net(loop, log, options, origins, counters, front);
  return apps::serve(loop, net, "/engine.io/");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "engineio_echo: %s\n", error.what());
    return 1;
  }
}
