#include "tests/fuzz/http_server.h"

#include <algorithm>
#include <string>

#include "engine/core/utf8.h"
#include "engine/net/http_exchange.h"
#include "engine/net/web_socket.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox;

namespace fuzz {
namespace {

constexpr size_t kBodyLimit = 1000;

class Echo : public net::WebSocketHandler {
 public:
  ~Echo() override { CHECK(socket_ == nullptr); }
  void on_open(net::WebSocket& socket) override { socket_ = &socket; }
  void on_message(std::string_view data, bool binary) override {
    CHECK(socket_ != nullptr && data.size() <= kBodyLimit && (binary || utf8_valid(data)));
    if (data == "close") return socket_->close(1000);
    if (data == "drop") return socket_->drop();
    socket_->send({data, data}, binary);
  }
  void on_close() override {
    CHECK(socket_ != nullptr);
    socket_ = nullptr;
  }

 private:
  net::WebSocket* socket_ = nullptr;
};

Options options() {
  Options options;
  options.listen_host = "127.0.0.1";
  options.listen_port = 0;
  options.http_headers = {"x-told"};
  options.engineio_max_payload = kBodyLimit;
  return options;
}

net::Response told(const net::Request& request) {
  std::string body = net::method_name(request.method) + (" " + request.path);
  for (const auto& [name, value] : request.query) body += '\n' + name + '=' + value;
  for (const auto& [name, value] : request.headers) body += '\n' + name + ": " + value;
  return {.body = body + "\n\n" + request.body, .compress = true};
}

}  // namespace

HttpServer::HttpServer()
    : options_(options()),
      log_(LogLevel::kDebug, [](LogLevel, const std::string&) {}),
      origins_({"https://example.org"}),
      net_(loop_, log_, options_, origins_, counters_, *this, place_) {
  loop_.set_exception_handler(fail_for_exception);
  CHECK(net_.open().ok());
  net_.keep_headers(true);
}

bool HttpServer::idle() {
  if (net_.web_sockets() != 0 || waiting_ != 0 || !place_.group->add_connection(1)) return false;
  place_.group->remove_connection();
  return true;
}

size_t HttpServer::body_limit(const net::Request& /*request*/) {
  return kBodyLimit;
}

void HttpServer::on_request(const ExchangePointer& exchange) {
  const net::Request& request = exchange->request();
  CHECK(request.method != net::Method::kOther && request.body.size() <= kBodyLimit);
  CHECK(request.path.starts_with('/'));
  for (const auto& [name, value] : request.headers) {
    CHECK(value.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos);
    CHECK(std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  }
  if (request.path == "/later") {
    loop_.post([exchange] { exchange->respond(told(exchange->request())); });
  } else if (request.path == "/never") {
    ++waiting_;
    exchange->set_on_abort([this, exchange] { --waiting_; });
  } else {
    exchange->respond(told(request));
  }
}

std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> HttpServer::on_upgrade(
    const net::Request& request) {
  if (request.path == "/no") return net::Response{.status = 404};
  return std::make_unique<Echo>();
}

}  // namespace fuzz
