#include "tests/fuzz/session_client.h"

#include <algorithm>
#include <utility>

#include "tests/fuzz/fuzz.h"

using namespace signalbox;

namespace fuzz {
namespace {

// What stands in `text` between `begin` and the next quote; empty: nothing does.
std::string_view quoted_behind(std::string_view text, std::string_view begin) {
  const size_t at = text.find(begin);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + begin.size());
  return take_until(text, '"');
}

}  // namespace

SessionClient::SessionClient(Floors& floors, std::string_view address)
    : floors_(floors), address_(*net::Address::parse(address)) {}

SessionClient::~SessionClient() {
  give_up();
}

net::Request SessionClient::request(net::Method method, std::string_view query) const {
  net::Request request;
  request.method = method;
  request.path = "/socket.io/";
  request.host = "example.org";
  request.client = address_;
  request.keep_alive = true;
  while (!query.empty()) {
    std::string_view field = take_until(query, '&');
    const std::string_view name = take_until(field, '=');
    if (name == "origin") request.origin = field;
    request.query.emplace_back(name, field);
  }
  if (!session_.empty() && !request.parameter("sid")) request.query.emplace_back("sid", session_);
  return request;
}

const SessionClient::Asked& SessionClient::ask(net::Request request) {
  auto answers = std::make_shared<int>(0);
  const auto take = [this, answers](const net::Response& response) {
    CHECK(++*answers == 1);
    // In base64, four bytes for three.
    const auto most = static_cast<size_t>(floors_.options.engineio_max_buffered +
                                          floors_.options.engineio_max_payload);
    CHECK(response.body.size() <= most / 3 * 4 + 1000);
    learn(response.body);
  };
  asked_.push_back({std::make_shared<net::HttpExchange>(std::move(request), take), answers});
  return asked_.back();
}

void SessionClient::get(std::string_view query) {
  const auto exchange = ask(request(net::Method::kGet, query)).exchange;
  floors_.engineio.on_request(exchange);
}

void SessionClient::begin_post(std::string_view body) {
  if (body.size() > floors_.engineio.body_limit()) return;
  net::Request begun = request(net::Method::kPost, "EIO=4&transport=polling");
  begun.body = body;
  const Asked& asked = ask(std::move(begun));
  const auto [exchange, answers] = asked;
  floors_.engineio.on_headers(exchange);
  if (*answers == 0) posts_.push_back(exchange);
}

void SessionClient::finish_post() {
  if (posts_.empty()) return;
  const auto post = std::move(posts_.front());
  posts_.erase(posts_.begin());
  floors_.engineio.on_request(post);
}

void SessionClient::upgrade(std::string_view query) {
  auto result = floors_.engineio.on_upgrade(request(net::Method::kGet, query));
  if (auto* handler = std::get_if<std::unique_ptr<net::WebSocketHandler>>(&result)) {
    wires_.push_back(std::make_unique<Wire>(std::move(*handler),
                                            [this](std::string_view text) { learn(text); }));
  }
}

void SessionClient::ask_api(net::Method method, std::string_view path, std::string_view body) {
  if (!signaling::HttpApi::has_path(path)) return;
  net::Request asked = request(method, {});
  asked.path = path;
  asked.content_type = "application/json";
  asked.body = body;
  floors_.service.api().on_request(ask(std::move(asked)).exchange);
}

void SessionClient::send(std::string_view message, bool binary) {
  if (wires_.empty() || message.size() > floors_.engineio.body_limit()) return;
  wires_.back()->receive(message, binary);
}

void SessionClient::lose_web_socket() {
  if (!wires_.empty()) wires_.pop_back();
}

void SessionClient::toggle_reading() {
  reads_ = !reads_;
  for (const auto& wire : wires_) wire->set_reads(reads_);
}

void SessionClient::give_up() {
  posts_.clear();
  for (const Asked& asked : std::exchange(asked_, {})) asked.exchange->client_left();
}

void SessionClient::learn(std::string_view text) {
  const std::string_view id = quoted_behind(text, R"({"sid":")");
  if (id.empty()) return;
  (text.find("\"upgrades\"") != std::string_view::npos ? session_ : socket_) = id;
}

void SessionClient::check() const {
  for (const auto& wire : wires_) {
    CHECK(wire->queued() <= static_cast<size_t>(floors_.options.engineio_max_buffered));
  }
}

bool SessionClient::waits() const {
  for (const Asked& asked : asked_) {
    // Bodies that never come are a matter of the net floor.
    const bool begun = std::find(posts_.begin(), posts_.end(), asked.exchange) != posts_.end();
    if (!begun && *asked.answers == 0) return true;
  }
  return false;
}

}  // namespace fuzz
