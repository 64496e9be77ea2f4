#include "engine/net/server.h"

#include <libwebsockets.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "engine/net/dispatch.h"
#include "engine/net/forwarding.h"
#include "engine/net/request_line.h"

namespace signalbox::net {
namespace {

// A receive buffer is kept for each WebSocket; longer messages are put together from pieces.
constexpr size_t kReceiveBuffer = 1024;
// What one write may hand to the system; the default would cut an SDP into several turns.
constexpr size_t kTransmitUnit = 65536;
// libwebsockets keeps a table of this many pointers, whatever the system would allow.
constexpr rlim_t kMaxDescriptors = 1 << 20;
// libwebsockets' handles on the loop need two turns to close, and their code may be unloaded with
// the context. A timer of 1 ms cannot fire twice in one turn.
constexpr int kLeastClosingTurns = 2;
constexpr int kMostClosingTurns = 16;
constexpr uint64_t kTurnMs = 1;

// All zero: no validity pings of libwebsockets' own, whose timers cost O(n) each. Heartbeats are
// ours.
const lws_retry_bo_t kNoValidityChecks = {};

int descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > kMaxDescriptors) {
    return static_cast<int>(kMaxDescriptors);
  }
  return static_cast<int>(limit.rlim_cur);
}

}  // namespace

Server::Server(Loop& loop, const Log& log, const Options& options, const OriginPolicy& origins,
               Counters& counters, Handler& handler, Place place)
    : loop_(loop),
      log_(log),
      options_(options),
      counters_(counters),
      handler_(handler),
      origins_(origins),
      group_(std::move(place.group)),
      place_(place.number),
      listener_(loop),
      // At once: what is to be closed later it looks after only when something else happens.
      hangups_(loop,
               [](void* wsi) {
                 lws_set_timeout(static_cast<struct lws*>(wsi), PENDING_TIMEOUT_CLOSE_SEND,
                                 LWS_TO_KILL_SYNC);
               }),
      closing_(loop, [this] { go_on_closing(); }) {}

// Without close() only when open() has failed: then nothing hangs on the loop that a turn must
// free.
Server::~Server() {
  group_->leave(place_);
  if (context_ != nullptr) lws_context_destroy(context_);
}

Status Server::open() {
  for (const std::string& text : options_.proxy_trusted) {
    const auto range = AddressRange::parse(text);
    if (!range) {
      return Status(ErrorCode::kInvalid, "option proxy.trusted: '" + text +
                                             "' is not allowed; addresses or networks such as "
                                             "10.0.0.0/8 or ::1");
    }
    trusted_.push_back(*range);
  }
  Status status = shown_headers_.add(options_.http_headers);
  if (!status.ok()) return status;
  std::shared_ptr<const ListeningSocket> socket;
  status =
      group_->listen(options_.listen_host, static_cast<uint16_t>(options_.listen_port), socket);
  if (!status.ok()) return status;
  port_ = socket->port();

  // Process-wide in libwebsockets: a library must not write to its host's stderr.
  static std::once_flag quiet;
  std::call_once(quiet, [] { lws_set_log_level(0, nullptr); });

  descriptor_limit_ = descriptor_limit();
  const struct lws_protocols protocols[] = {
      {subprotocol_.data(), Dispatch::callback, 0, kReceiveBuffer, 0, nullptr, kTransmitUnit},
      {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
  void* loops[1] = {loop_.native()};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.options =
      LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8;
  info.foreign_loops = loops;
  info.pcontext = &context_;
  info.user = this;
  info.fd_limit_per_thread = static_cast<unsigned>(descriptor_limit_);
  info.max_http_header_data = static_cast<unsigned short>(options_.http_max_header);
  info.timeout_secs =
      static_cast<unsigned>(std::max<int64_t>(1, options_.http_request_timeout / 1000));
  info.keepalive_timeout = static_cast<int>(std::max<int64_t>(1, options_.http_keep_alive / 1000));
  info.retry_and_idle_policy = &kNoValidityChecks;
  info.protocols = protocols;
  info.vhost_name = "signalbox";
  info.alpn = "http/1.1";
  context_ = lws_create_context(&info);
  if (context_ == nullptr) {
    return Status(ErrorCode::kSystem,
                  "libwebsockets cannot start; is libwebsockets-evlib-uv installed?");
  }
  vhost_ = lws_create_vhost(context_, &info);
  if (vhost_ == nullptr) {
    return Status(ErrorCode::kSystem, "libwebsockets cannot create its virtual host");
  }
  if (!group_->alone()) {
    reception_ =
        std::make_unique<Reception>(loop_, static_cast<uint64_t>(options_.http_request_timeout),
                                    [this](const std::shared_ptr<Arrival>& arrival,
                                           std::string_view line) { give(arrival, line); });
  }
  group_->enter(place_, loop_, *this);
  listener_.start(
      std::move(socket), [this](int fd) { accept(fd); },
      [this] {
        ++counters_.connections_refused;
        log_.debug("a connection was turned away: no descriptors or memory left");
      });
  return {};
}

void Server::offer_subprotocol(const std::string& offered) {
  const std::string first = offered.substr(0, offered.find_first_of(", \t"));
  if (first.empty() || first.size() >= subprotocol_.size()) return;
  std::copy(first.begin(), first.end(), subprotocol_.begin());
  subprotocol_[first.size()] = '\0';
}

void Server::stop_listening() {
  group_->take_no_new(place_);
  listener_.close();
}

void Server::accept(int fd) {
  if (!group_->add_connection(static_cast<size_t>(options_.limits_connections))) {
    ++counters_.connections_refused;
    ::close(fd);
    return;
  }
  auto arrival = std::make_shared<Arrival>(group_, fd);
  if (reception_) {
    if (!reception_->add(std::move(arrival))) ++counters_.connections_refused;
    return;
  }
  arrival->assign(place_);
  adopt(arrival);
}

void Server::give(const std::shared_ptr<Arrival>& arrival, std::string_view line) {
  const std::string_view session = session_in(line, options_.socketio_path);
  const size_t there = session.empty() ? group_->least_busy(place_)
                                       : group_->elsewhere(place_, session).value_or(place_);
  arrival->assign(there);
  if (there != place_ &&
      group_->post(there, [arrival](Server& server) { server.adopt(arrival); })) {
    return;
  }
  arrival->assign(place_);
  adopt(arrival);
}

void Server::adopt(const std::shared_ptr<Arrival>& arrival) {
  if (arrival->fd() >= descriptor_limit_) {
    ++counters_.connections_refused;
    return;
  }
  // Counted first: a failure half-way destroys the connection, which counts it out again.
  const size_t before = connections_++;
  if (lws_adopt_socket_vhost(vhost_, arrival->release()) == nullptr) {  // closes it when it fails
    if (connections_ != before) on_connection_gone();
    ++counters_.connections_refused;
    return;
  }
  ++counters_.connections_accepted;
}

void Server::on_connection_gone() {
  if (connections_ == 0) return;
  --connections_;
  group_->remove_burden(place_);
  group_->remove_connection();
}

std::optional<size_t> Server::elsewhere(const Request& request) const {
  if (group_->alone() || !request.path.starts_with(options_.socketio_path)) return std::nullopt;
  return group_->elsewhere(place_, request.parameter("sid").value_or(std::string_view()));
}

bool Server::forward(HttpExchange& exchange) {
  const std::optional<size_t> there = elsewhere(exchange.request());
  return there && net::forward(group_, place_, *there, exchange.shared_from_this());
}

void Server::take_over(const std::shared_ptr<HttpExchange>& exchange) {
  handler_.on_headers(exchange);
  if (!exchange->answered_) handler_.on_request(exchange);
}

void Server::pause_reading(HttpExchange& exchange) {
  exchange.paused_ = true;
  lws_set_timeout(exchange.wsi_, NO_PENDING_TIMEOUT, 0);
  lws_rx_flow_control(exchange.wsi_, 0);
  // Other answers come soon, to half-closed clients too.
  exchange.watched_ = exchange.on_abort_ != nullptr;
  if (exchange.watched_) hangups_.add(lws_get_socket_fd(exchange.wsi_), exchange.wsi_);
}

void Server::resume_reading(HttpExchange& exchange) {
  if (!exchange.paused_) return;
  exchange.paused_ = false;
  unwatch(exchange);
  lws_rx_flow_control(exchange.wsi_, 1);
}

void Server::unwatch(HttpExchange& exchange) {
  if (exchange.watched_) hangups_.remove(lws_get_socket_fd(exchange.wsi_));
  exchange.watched_ = false;
}

void Server::request_write(HttpExchange& exchange) {
  // libwebsockets gives no writable callback while reading is paused.
  resume_reading(exchange);
  lws_callback_on_writable(exchange.wsi_);
}

void Server::close(std::function<void()> closed) {
  listener_.close();
  group_->leave(place_);
  if (reception_) reception_->clear();
  closed_ = std::move(closed);
  // libwebsockets closes its connections in the first call, its handles in the turns that follow,
  // and frees itself in the second call, which clears context_.
  if (context_ != nullptr) lws_context_destroy(context_);
  closing_.start(kTurnMs);
}

void Server::go_on_closing() {
  if (++closing_turns_ > kLeastClosingTurns && context_ != nullptr) lws_context_destroy(context_);
  if (context_ != nullptr && closing_turns_ < kMostClosingTurns) {
    closing_.start(kTurnMs);
  } else {
    std::exchange(closed_, nullptr)();
  }
}

}  // namespace signalbox::net
