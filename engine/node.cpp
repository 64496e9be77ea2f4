#include "engine/node.h"

#include <utility>

#include "engine/core/id.h"
#include "engine/net/http_exchange.h"
#include "engine/socketio/packet.h"

namespace signalbox {
namespace {

constexpr uint64_t kSilenceCheckMs = 5;

const net::Response kNotFound = {.status = 404, .body = R"({"error":"Not found"})"};

}  // namespace

Node::Node(Loop& loop, const Options& options, Log& log, Counters& counters,
           const signaling::RoomObservers& observers, const host::Program& program,
           const net::Place& place, std::shared_ptr<store::Siblings> siblings)
    : loop_(loop),
      options_(options),
      counters_(counters),
      origins_(options.cors_origins),
      signaling_(options.signaling_enabled
                     ? std::make_unique<signaling::Service>(
                           loop, log, options, counters_, std::move(siblings),
                           room_hooks(log, observers, program),
                           [group = place.group] { return group->sessions(); })
                     : nullptr),
      host_bus_(signaling_ ? std::make_unique<HostBus>(signaling_->neighbours()) : nullptr),
      socketio_(loop, log, options, counters_,
                signaling_ ? signaling_->neighbours().id() : random_id(store::kNodeIdLength)),
      host_(loop, options, counters_, program, socketio_),
      engineio_(
          loop, options, origins_, counters_,
          [this](engineio::Session& session) { return socketio_.accept(session); }, place),
      net_(loop, log, options, origins_, counters_, *this, place),
      drain_(loop, engineio_),
      silence_(loop, [this] { check_silence(); }) {
  if (signaling_) {
    constexpr const char* kNamespace = signaling::Service::kNamespace;
    host_.set_application(kNamespace, signaling_->application());
    signaling_->set_namespace(*socketio_.find(kNamespace));
    signaling_->neighbours().set_listener(
        {.renamed = [this](const std::string& id) { on_renamed(id); },
         .evicted =
             [this](const std::string& room, const std::string& socket) {
               signaling_->application().on_evicted(room, socket);
             },
         .other =
             [this](const store::Envelope& envelope) { host_bus_->deliver(envelope, host_); }});
    host_.set_elsewhere(*host_bus_);
    engineio_.set_admit([this](const net::Address& client) {
      return signaling_->session_limit().admit(client.limit_key());
    });
  }
  refresh();
}

Node::~Node() = default;

signaling::RoomHooks Node::room_hooks(Log& log, const signaling::RoomObservers& observers,
                                      const host::Program& program) {
  signaling::RoomHooks hooks = {signaling::logging(log, observers), {}, {}, {}};
  const auto verdict_of = [](signaling::Decide decide) {
    return [decide = std::move(decide)](const host::Decision& decision) {
      decide(decision.accepted ? signaling::Verdict() : decision.message);
    };
  };
  if (program.creating) {
    hooks.creating = [this, verdict_of](const std::string& room, const net::Request& request,
                                        signaling::Decide decide) {
      return host_.ask_to_create(room, request, verdict_of(std::move(decide)));
    };
  }
  if (program.joining) {
    hooks.joining = [this, verdict_of](const std::string& room, const socketio::Socket& socket,
                                       signaling::Decide decide) {
      return host_.ask_to_join(room, socket, verdict_of(std::move(decide)));
    };
  }
  hooks.withdraw = [this](uint64_t question) { host_.withdraw(question); };
  return hooks;
}

Status Node::open() {
  Status status = net_.open();
  if (status.ok() && signaling_) signaling_->open();
  return status;
}

// Clients come back with new ids, by which they can be reached.
void Node::on_renamed(const std::string& id) {
  socketio_.set_node_id(id);
  engineio_.close_all(engineio::CloseReason::kShutdown);
}

void Node::refresh() {
  host_.refresh();
  net_.keep_headers(host_.wants_headers() || (signaling_ && signaling_->wants_headers()));
  engineio_.keep_handshakes(host_.wants_handshakes());
}

void Node::follow_option(std::string_view name) {
  if (name == "cors.origins") origins_ = net::OriginPolicy(options_.cors_origins);
  if (name.starts_with("tls.")) net_.reload_certificate();
  if (name == "limits.connections") net_.compare_limits();
}

void Node::broadcast_to_peers(const std::string& room, const std::string& except,
                              const host::Message& message) {
  signaling_->application().broadcast(
      room,
      socketio::encode_packet(socketio::PacketType::kEvent, signaling::Service::kNamespace,
                              std::nullopt, message.payload, message.attachments.size()),
      except, message.attachments);
}

bool Node::for_engineio(const net::Request& request) const {
  return options_.socketio_enabled && request.path.starts_with(options_.socketio_path) &&
         !host_.has_mount_below(options_.socketio_path, request.path);
}

bool Node::for_api(const net::Request& request) const {
  return signaling_ && signaling::HttpApi::has_path(request.path);
}

std::string_view Node::preflight_methods(const net::Request& request) {
  if (for_engineio(request) || for_api(request)) return Handler::preflight_methods(request);
  return "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";  // a mount of the host's
}

size_t Node::body_limit(const net::Request& request) {
  return for_engineio(request) ? engineio_.body_limit()
                               : static_cast<size_t>(options_.http_max_body);
}

void Node::on_headers(const std::shared_ptr<net::HttpExchange>& exchange) {
  if (for_engineio(exchange->request())) engineio_.on_headers(exchange);
}

void Node::on_request(const std::shared_ptr<net::HttpExchange>& exchange) {
  if (for_engineio(exchange->request())) {
    engineio_.on_request(exchange);
  } else if (drained_) {
    exchange->respond(
        {.status = 503, .body = R"({"error":"The server is shutting down"})", .close = true});
  } else if (for_api(exchange->request())) {
    signaling_->api().on_request(exchange);
  } else if (!host_.on_request(exchange)) {
    exchange->respond(kNotFound);
  }
}

std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> Node::on_upgrade(
    const net::Request& request) {
  if (for_engineio(request)) return engineio_.on_upgrade(request);
  return kNotFound;
}

void Node::shut_down(std::function<void()> done) {
  ended_ = std::move(done);
  net_.stop_listening();
  if (signaling_) signaling_->drain();
  const auto timeout_ms = static_cast<uint64_t>(options_.shutdown_timeout);
  // What is under way gets half of the time, its end the other.
  drain_.start(static_cast<uint64_t>(options_.shutdown_drain), timeout_ms / 2,
               [this] { on_drained(); });
}

void Node::on_drained() {
  drained_ = true;
  silence_.start(kSilenceCheckMs);
}

void Node::check_silence() {
  const uint64_t now_ms = loop_.now_ms();
  const auto timeout_ms = static_cast<uint64_t>(options_.shutdown_timeout);
  const uint64_t until_ms = drain_.spread_end_ms() + timeout_ms;
  // Whoever has not come by then finds no connection any more (we do not listen), as a rule.
  const bool fetching = engineio_.owes_messages() && now_ms < until_ms - timeout_ms / 2;
  const bool silent = net_.web_sockets() == 0 && !net_.others_drain() && !fetching &&
                      !(signaling_ && signaling_->busy()) && host_.waiting() == 0;
  // Silent twice: between the two checks the last answers go out.
  const bool over = std::exchange(silent_, silent) && silent;
  if (!over && now_ms < until_ms) {
    silence_.start(kSilenceCheckMs);
    return;
  }
  if (host_.waiting() != 0) {
    silence_.start(kSilenceCheckMs);  // meanwhile the answers go out
    host_.give_up();
    return;
  }
  if (signaling_ && !std::exchange(left_, true)) {
    // All sockets are gone, and out of their rooms as far as Redis has answered.
    silence_.start(kSilenceCheckMs);
    signaling_->leave();
    silent_ = false;
    return;
  }
  // Connections end first, then what they asked of Redis, while everything that is called still
  // lives.
  net_.close([this] {
    if (signaling_) signaling_->close();
    ended_();
  });
}

}  // namespace signalbox
