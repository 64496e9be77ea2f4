// The net floor with a host's eyes: answers each request with JSON that tells what a handler is
// shown of it. Under /engine.io/ there are Engine.IO sessions that answer each message with
// their handshake.
//
//   http_echo PORT [OPTION=VALUE]...   port 0 takes a free one, which the first line of output
//   names;
//                                      headers are kept only if the option http.headers is given
//
// A request with ?status=N is answered with that status, one with ?busy=MS once the loop has had no
// time for anything else for so long. Preflights allow PUT, PATCH and DELETE.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <thread>

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

int number(const net::Request& request, const char* parameter, int otherwise) {
  const std::string_view text = request.parameter(parameter).value_or("");
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

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
    std::this_thread::sleep_for(std::chrono::milliseconds(number(request, "busy", 0)));
    exchange->respond({.status = number(request, "status", 200), .body = std::move(body)});
  }

  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request& request) override {
    return engineio_.on_upgrade(request);
  }

 private:
  engineio::Server& engineio_;
};

int serve(std::span<char*> arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view text = arguments[i];
    const size_t equals = text.find('=');
    const Status status = i == 0 ? set_option(options, "listen.port", text)
                                 : set_option(options, text.substr(0, equals),
                                              equals < text.size() ? text.substr(equals + 1) : "");
    if (!status.ok()) {
      std::fprintf(stderr, "http_echo: %s\n", status.text().c_str());
      return 2;
    }
  }
  Loop loop;
  Log log = apps::log_to_stderr();
  Counters counters;
  const net::OriginPolicy origins({"*"});
  engineio::Server engineio(loop, options, origins, counters, [](engineio::Session& session) {
    return std::make_unique<Teller>(session);
  });
  Front front(engineio);
  net::Server net(loop, log, options, origins, counters, front);
  net.keep_headers(!options.http_headers.empty());
  engineio.keep_handshakes(!options.http_headers.empty());
  return apps::serve(loop, net, "/");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve(std::span(argv, static_cast<size_t>(argc)).subspan(1));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http_echo: %s\n", error.what());
    return 1;
  }
}
