// The net floor with a host's eyes: answers each request with JSON that tells what a handler is
// shown of it. Under /engine.io/ there are Engine.IO sessions that answer each message with
// their handshake.
//
//   http_echo PORT [HEADERS]     port 0 takes a free one, which the first line of output names;
//                                headers are kept only if the option http.headers is given
//
// A request with ?status=N is answered with that status. Preflights allow PUT, PATCH and DELETE.
#include <charconv>
#include <cstdio>
#include <exception>
#include <memory>

#include "engine/core/counters.h"
#include "engine/core/json.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/engineio/server.h"
#include "engine/net/http_exchange.h"
#include "engine/net/origin_policy.h"
#include "engine/net/server.h"
#include "tests/apps/serve.h"

namespace {

using namespace signalbox;

constexpr std::string_view kEngineIoPath = "/engine.io/";
// Of a body; an answer that the kernel does not take at once would end the connection.
constexpr size_t kMostEchoed = 1000;

// An array of pairs: names may come twice.
std::string to_json(const net::Fields& fields) {
  std::string out = "[";
  for (const auto& [name, value] : fields) {
    out += out.size() > 1 ? ",[" : "[";
    json::append_string(out, name);
    out += ',';
    json::append_string(out, value);
    out += ']';
  }
  return out + "]";
}

// Answers each message with the session's handshake.
class Teller : public engineio::SessionHandler {
 public:
  explicit Teller(engineio::Session& session) : session_(session) {}
  void on_message(std::string_view /*data*/, bool /*binary*/) override {
    const engineio::Handshake* handshake = session_.handshake();
    session_.send(handshake == nullptr ? "null"
                                       : "{\"headers\":" + to_json(handshake->headers) +
                                             ",\"query\":" + to_json(handshake->query) + "}",
                  false);
  }
  void on_close(engineio::CloseReason /*reason*/) override {}

 private:
  engineio::Session& session_;
};

class Front : public net::Handler {
 public:
  explicit Front(engineio::Server& engineio) : engineio_(engineio) {}

  size_t body_limit(const net::Request& /*request*/) override { return 100000; }

  std::string_view preflight_methods(const net::Request& /*request*/) override {
    return "PUT, PATCH, DELETE";
  }

  void on_request(const std::shared_ptr<net::HttpExchange>& exchange) override {
    const net::Request& request = exchange->request();
    if (request.path == kEngineIoPath) {
      engineio_.on_request(exchange);
      return;
    }
    std::string body = "{\"method\":";
    json::append_string(body, net::method_name(request.method));
    body += ",\"path\":";
    json::append_string(body, request.path);
    body += ",\"length\":" + std::to_string(request.body.size()) +
            ",\"query\":" + to_json(request.query) + ",\"headers\":" + to_json(request.headers) +
            ",\"body\":";
    json::append_string(body, std::string_view(request.body).substr(0, kMostEchoed));
    body += '}';
    int status = 200;
    const std::string_view wanted = request.parameter("status").value_or("");
    std::from_chars(wanted.data(), wanted.data() + wanted.size(), status);
    exchange->respond({.status = status, .body = std::move(body)});
  }

  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request& request) override {
    return engineio_.on_upgrade(request);
  }

 private:
  engineio::Server& engineio_;
};

int serve(const char* port, const char* headers) {
  Options options;
  Status status = set_option(options, "listen.port", port);
  if (status.ok() && headers != nullptr) status = set_option(options, "http.headers", headers);
  if (!status.ok()) {
    std::fprintf(stderr, "http_echo: %s\n", status.text().c_str());
    return 2;
  }
  Loop loop;
  const Log log = apps::log_to_stderr();
  Counters counters;
  const net::OriginPolicy origins({"*"});
  engineio::Server engineio(loop, options, origins, counters, [](engineio::Session& session) {
    return std::make_unique<Teller>(session);
  });
  Front front(engineio);
  net::Server net(loop, log, options, origins, counters, front);
  net.keep_headers(headers != nullptr);
  engineio.keep_handshakes(headers != nullptr);
  return apps::serve(loop, net, "/");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve(argc > 1 ? argv[1] : "0", argc > 2 ? argv[2] : nullptr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http_echo: %s\n", error.what());
    return 1;
  }
}
