#include "engine/engineio/server.h"

#include <algorithm>
#include <utility>

#include "engine/core/id.h"
#include "engine/engineio/web_socket_transport.h"
#include "engine/net/http_exchange.h"

namespace signalbox::engineio {
namespace {

constexpr size_t kRandomLength = 20;  // of an id: 120 random bits
constexpr std::string_view kRevision = "4";
// To a client that has too many sessions: how soon some may be over.
constexpr int64_t kRetrySeconds = 5;
constexpr uint64_t kTurnMs = 1;
constexpr uint64_t kRestMs = 20;

const net::Response kFull = {.status = 503, .body = R"({"error":"Too many sessions"})"};
const net::Response kLeaving = {
    .status = 503, .body = R"({"error":"The server is shutting down"})", .close = true};

// Bytes that no origin has: they must not get as far as a comparison or an echo.
bool well_formed_origin(std::string_view origin) {
  return std::all_of(origin.begin(), origin.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

Server::Server(Loop& loop, const Options& options, const net::OriginPolicy& origins,
               Counters& counters, Accept accept, net::Place place)
    : loop_(loop),
      options_(options),
      origins_(origins),
      counters_(counters),
      accept_(std::move(accept)),
      place_(std::move(place)),
      reaper_(loop, [this] { reap(); }),
      pings_(loop, static_cast<uint64_t>(options.engineio_ping_interval),
             [](void* session) { static_cast<Session*>(session)->on_ping_due(); }),
      pongs_(loop, static_cast<uint64_t>(options.engineio_ping_timeout),
             [](void* session) { static_cast<Session*>(session)->on_patience_end(); }),
      upgrades_(loop, static_cast<uint64_t>(options.engineio_upgrade_timeout),
                [](void* session) { static_cast<Session*>(session)->on_upgrade_due(); }),
      turns_(loop, kTurnMs, [](void* session) { static_cast<Session*>(session)->go_on(); }),
      rests_(loop, kRestMs, [](void* session) { static_cast<Session*>(session)->go_on(); }) {}

Server::~Server() {
  reap();
  for (const auto& [id, session] : sessions_) {
    place_.group->session_addresses().remove(session->client());
  }
  place_.group->remove_sessions(place_.number, sessions_.size());
}

net::Response Server::refuse(Refusal refusal) {
  struct Row {
    int status;
    const char* body;
  };
  static constexpr Row kRows[] = {
      {400, R"({"code":0,"message":"Transport unknown"})"},
      {400, R"({"code":1,"message":"Session ID unknown"})"},
      {400, R"({"code":2,"message":"Bad handshake method"})"},
      {400, R"({"code":3,"message":"Bad request"})"},
      {403, R"({"code":4,"message":"Forbidden"})"},
      {400, R"({"code":5,"message":"Unsupported protocol version"})"},
  };
  const Row& row = kRows[static_cast<size_t>(refusal)];
  return {.status = row.status, .content_type = "application/json", .body = row.body};
}

Server::Verdict Server::verify(const net::Request& request, bool upgrade) {
  const std::string_view transport = request.parameter("transport").value_or("");
  if (transport != "polling" && transport != "websocket") return {Refusal::kTransport};
  if (!well_formed_origin(request.origin)) return {Refusal::kRequest};
  if (!origins_.allows(request.origin, request.host)) return {Refusal::kForbidden};
  const bool revision_fits = request.parameter("EIO") == kRevision;
  if (const auto id = request.parameter("sid"); id && !id->empty()) {
    Session* session = find(*id);
    if (session == nullptr) return {Refusal::kSession};
    // A second WebSocket is let in, to be closed at once (WebSocketTransport::on_open): clients
    // expect the handshake to succeed.
    const bool fits =
        upgrade ? transport == "websocket" : transport == "polling" && session->socket_ == nullptr;
    if (!fits || !revision_fits) return {Refusal::kRequest};
    return {std::nullopt, session};
  }
  if (request.method != net::Method::kGet) return {Refusal::kMethod};
  if ((transport == "websocket") != upgrade) return {Refusal::kRequest};
  if (!revision_fits) return {Refusal::kVersion};
  return {};
}

void Server::on_headers(const std::shared_ptr<net::HttpExchange>& exchange) {
  const net::Request& request = exchange->request();
  if (request.method != net::Method::kPost) return;
  const Verdict verdict = verify(request, false);
  if (verdict.session != nullptr && !verdict.session->begin_post(exchange)) {
    exchange->respond(refuse(Refusal::kRequest));
  }
}

void Server::on_request(const std::shared_ptr<net::HttpExchange>& exchange) {
  const net::Request& request = exchange->request();
  const Verdict verdict = verify(request, false);
  if (verdict.refusal) {
    exchange->respond(refuse(*verdict.refusal));
    return;
  }
  if (verdict.session == nullptr) {
    if (auto refusal = obstacle(request)) {
      exchange->respond(std::move(*refusal));
      return;
    }
    Session& session = open_session(request.client, keep(request));
    session.send_packet(PacketType::kOpen, false, open_packet(session, true));
    session.on_poll(exchange);
  } else if (request.method == net::Method::kGet) {
    verdict.session->on_poll(exchange);
  } else if (request.method == net::Method::kPost) {
    verdict.session->on_post(exchange);
  } else {
    exchange->respond(refuse(Refusal::kRequest));
  }
}

std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> Server::on_upgrade(
    const net::Request& request) {
  const Verdict verdict = verify(request, true);
  if (verdict.refusal) return refuse(*verdict.refusal);
  if (verdict.session == nullptr) {
    if (auto refusal = obstacle(request)) return std::move(*refusal);
  }
  return std::make_unique<WebSocketTransport>(
      *this, request.client, verdict.session == nullptr ? keep(request) : nullptr,
      verdict.session != nullptr ? verdict.session->id() : std::string());
}

std::optional<net::Response> Server::obstacle(const net::Request& request) {
  const net::Address& client = request.client;
  if (!accepting_) return kLeaving;
  // Polling sessions live without a connection: they are bounded by the same number by themselves.
  const auto most = static_cast<size_t>(options_.limits_connections);
  if (place_.group->sessions() >= most) {
    ++counters_.sessions_refused;
    return kFull;
  }
  const auto of_address = static_cast<size_t>(options_.limits_connections_per_ip);
  if (of_address != 0 && !request.of_proxy &&
      place_.group->session_addresses().count(client) >= of_address) {
    ++counters_.sessions_limited;
    return net::too_many_requests(kRetrySeconds);
  }
  const int64_t wait_s = admit_ ? admit_(client) : 0;
  if (wait_s == 0) return std::nullopt;
  ++counters_.sessions_limited;
  return net::too_many_requests(wait_s);
}

std::unique_ptr<const Handshake> Server::keep(const net::Request& request) const {
  if (!handshakes_kept_) return nullptr;
  return std::make_unique<const Handshake>(Handshake{request.headers, request.query});
}

Session& Server::open_session(const net::Address& client,
                              std::unique_ptr<const Handshake> handshake) {
  auto owned = std::make_unique<Session>(
      *this, place_.group->id_prefix(place_.number) + random_id(kRandomLength), client,
      std::move(handshake));
  Session& session = *owned;
  session.begin(accept_(session));
  sessions_.emplace(session.id(), std::move(owned));
  place_.group->add_session(place_.number);
  place_.group->session_addresses().add(client, 0);
  ++counters_.sessions_opened;
  return session;
}

std::string Server::open_packet(const Session& session, bool may_upgrade) const {
  std::string json = R"({"sid":")" + session.id() + R"(","upgrades":[)";
  if (may_upgrade) json += R"("websocket")";
  json += R"(],"pingInterval":)" + std::to_string(options_.engineio_ping_interval);
  json += R"(,"pingTimeout":)" + std::to_string(options_.engineio_ping_timeout);
  json += R"(,"maxPayload":)" + std::to_string(options_.engineio_max_payload) + "}";
  return json;
}

Session* Server::find(std::string_view id) {
  const auto found = sessions_.find(id);
  return found != sessions_.end() ? found->second.get() : nullptr;
}

void Server::retire(Session& session) {
  const auto found = sessions_.find(session.id());
  if (found == sessions_.end()) return;
  found->second->next_retired_ = std::move(retired_);
  retired_ = std::move(found->second);
  sessions_.erase(found);
  place_.group->remove_sessions(place_.number, 1);
  place_.group->session_addresses().remove(session.client());
  ++counters_.sessions_closed;
  reaper_.start(0);
}

void Server::reap() {
  while (retired_) retired_ = std::move(retired_->next_retired_);
}

std::vector<Session*> Server::open_sessions() const {
  std::vector<Session*> open;
  for (const auto& [id, session] : sessions_) {
    if (session->open()) open.push_back(session.get());
  }
  return open;
}

void Server::close_all(CloseReason reason) {
  for (Session* session : open_sessions()) session->close(reason);
}

bool Server::owes_messages() const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [](const auto& entry) { return entry.second->owes_messages(); });
}

}  // namespace signalbox::engineio
