#include "engine/net/server.h"

#include <libwebsockets.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "engine/net/descriptor_limit.h"
#include "engine/net/dispatch.h"
#include "engine/net/forwarding.h"
#include "engine/net/request_line.h"
#include "engine/net/silent_log.h"

namespace signalbox::net {
namespace {

// A receive buffer is kept for each WebSocket; longer messages are put together from pieces.
constexpr size_t kReceiveBuffer = 2048;
// libwebsockets counts its deadlines in seconds.
constexpr uint64_t kLeastDeadlineMs = 1000;
// What one write may hand to the system; the default would cut an SDP into several turns.
constexpr size_t kTransmitUnit = 65536;
// The client's, and the two of the pair that the relay works with.
constexpr size_t kDescriptorsWithTls = 3;
// libwebsockets' handles on the loop need two turns to close, and their code may be unloaded with
// the context. A timer of 1 ms cannot fire twice in one turn.
constexpr int kLeastClosingTurns = 2;
constexpr int kMostClosingTurns = 16;
constexpr uint64_t kTurnMs = 1;

// All zero: no validity pings of libwebsockets' own, whose timers cost O(n) each. Heartbeats are
// ours.
const lws_retry_bo_t kNoValidityChecks = {};

// At once: what is to be closed later libwebsockets looks after only when something else happens.
void end_now(struct lws* wsi) {
  lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
}

void tell_validity(Log& log, const TlsContext& context) {
  const Validity valid = validity(context);
  if (valid.now) {
    log.info("the certificate is valid", {{"until", valid.until}});
  } else {
    log.warning("the certificate is not valid now", {{"until", valid.until}});
  }
}

Status read_networks(const char* option, const std::vector<std::string>& texts,
                     std::vector<AddressRange>& networks) {
  for (const std::string& text : texts) {
    const auto range = AddressRange::parse(text);
    if (!range) {
      return Status(ErrorCode::kInvalid, std::string("option ") + option + ": '" + text +
                                             "' is not allowed; addresses or networks such as "
                                             "10.0.0.0/8 or ::1");
    }
    networks.push_back(*range);
  }
  return {};
}

// What the options say in texts and files; kInvalid as Server::check().
Status read_options(const Options& options, std::vector<AddressRange>& trusted,
                    std::vector<AddressRange>& balancers, RequestHeaders& shown_headers,
                    TlsContext& tls) {
  return together({read_networks("proxy.trusted", options.proxy_trusted, trusted),
                   read_networks("proxy.protocol", options.proxy_protocol, balancers),
                   shown_headers.add(options.http_headers),
                   wants_tls(options) ? read_tls_context(options, tls) : Status()});
}

// What libwebsockets needs to store the largest header: beside each line some bytes of its own.
unsigned short header_room(const Options& options) {
  constexpr int64_t kPerLine = 16;
  const int64_t room = options.http_max_header + kPerLine * (options.http_max_headers + 1);
  return static_cast<unsigned short>(std::min<int64_t>(room, UINT16_MAX));
}

}  // namespace

Server::Server(Loop& loop, Log& log, const Options& options, const OriginPolicy& origins,
               Counters& counters, Handler& handler, Place place)
    : loop_(loop),
      log_(log),
      options_(options),
      counters_(counters),
      handler_(handler),
      origins_(origins),
      group_(std::move(place.group)),
      place_(place.number),
      line_(*group_, place_),
      listener_(loop),
      hangups_(loop, [](void* wsi) { end_now(static_cast<struct lws*>(wsi)); }),
      event_pipe_(loop),
      leaving_(loop, static_cast<uint64_t>(options.http_request_timeout),
               [](void* connection) { end_now(static_cast<Connection*>(connection)->wsi); }),
      answering_(loop, [this] { write_answers(); }),
      waking_(loop,
              [this] {
                if (context_ != nullptr) lws_cancel_service(context_);
              }),
      rereading_(loop, [this] { reread_certificate(); }),
      closing_(loop, [this] { go_on_closing(); }) {}

// Without close() only when open() has failed: then nothing hangs on the loop that a turn must
// free.
Server::~Server() {
  group_->leave(place_);
  begin_closing();
}

Status Server::check(const Options& options) {
  std::vector<AddressRange> networks;
  RequestHeaders headers;
  TlsContext tls;
  return read_options(options, networks, networks, headers, tls);
}

Status Server::open() {
  TlsContext tls;
  Status status = read_options(options_, trusted_, balancers_, shown_headers_, tls);
  if (!status.ok()) return status;
  if (tls) tell_validity(log_, tls);
  std::shared_ptr<const ListeningSocket> socket;
  status = group_->listen(options_, socket);
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
  // Text is ours to check: libwebsockets looks at it byte by byte.
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info.foreign_loops = loops;
  info.pcontext = &context_;
  info.user = this;
  info.fd_limit_per_thread = static_cast<unsigned>(descriptor_limit_);
  info.max_http_header_data = header_room(options_);
  info.timeout_secs =
      static_cast<unsigned>(std::max<int64_t>(1, options_.http_request_timeout / 1000));
  info.keepalive_timeout = static_cast<int>(std::max<int64_t>(1, options_.http_keep_alive / 1000));
  info.retry_and_idle_policy = &kNoValidityChecks;
  info.protocols = protocols;
  info.vhost_name = "signalbox";
  info.alpn = "http/1.1";
  lws_log_ = std::make_unique<SilentLog>();
  lws_log_->use_for(info);
  event_pipe_.expect();
  context_ = lws_create_context(&info);
  if (context_ == nullptr) {
    return Status(ErrorCode::kSystem,
                  "libwebsockets cannot start; is libwebsockets-evlib-uv installed?");
  }
  event_pipe_.find();
  vhost_ = lws_create_vhost(context_, &info);
  if (vhost_ == nullptr) {
    return Status(ErrorCode::kSystem, "libwebsockets cannot create its virtual host");
  }
  reception_ = std::make_unique<Reception>(
      loop_,
      Reception::Patience{static_cast<uint64_t>(options_.http_request_timeout),
                          static_cast<uint64_t>(options_.http_keep_alive)},
      RequestHead::Limits{static_cast<size_t>(options_.http_max_header),
                          static_cast<size_t>(options_.http_max_headers)},
      counters_,
      Reception::Callbacks{
          [this](Arrival& arrival, const Address& client) { return introduce(arrival, client); },
          [this](const std::shared_ptr<Arrival>& arrival, std::string_view line) {
            give(arrival, line);
          },
          [this](void* owner, const Clearance& more) {
            read_request(*static_cast<Connection*>(owner), more);
          },
          [](void* owner) { end_now(static_cast<Connection*>(owner)->wsi); },
          [this](const TlsRelay& relay) { gate_->catch_up(relay); }});
  if (tls) {
    gate_ = std::make_unique<TlsGate>(loop_, static_cast<uint64_t>(options_.http_request_timeout),
                                      std::move(tls), counters_,
                                      [this](std::shared_ptr<Arrival> arrival) {
                                        if (!reception_->add(std::move(arrival), false))
                                          ++counters_.connections_refused;
                                      });
  }
  most_connections_ = most_connections(gate_ ? kDescriptorsWithTls : 1, group_->places());
  compare_limits();
  group_->enter(place_, loop_, *this);
  listener_.start(
      std::move(socket), [this](int fd, const Address& peer) { accept(fd, peer); },
      [this] {
        ++counters_.connections_refused;
        log_.debug("connection refused", {{"cause", "no descriptors or memory left"}});
      });
  return {};
}

void Server::offer_subprotocol(const std::string& offered) {
  const std::string first = offered.substr(0, offered.find_first_of(", \t"));
  if (first.empty() || first.size() >= subprotocol_.size()) return;
  std::copy(first.begin(), first.end(), subprotocol_.begin());
  subprotocol_[first.size()] = '\0';
}

void Server::compare_limits() const {
  if (place_ != 0) return;  // they are the group's
  if (static_cast<size_t>(options_.limits_connections) <= most_connections_) return;
  log_.warning(
      "the descriptors that the system allows (ulimit -n) are too few for limits.connections",
      {{"wanted", options_.limits_connections},
       {"descriptors", descriptor_limit()},
       {"descriptors_a_connection", gate_ ? kDescriptorsWithTls : 1},
       {"enough_for", most_connections_}});
}

void Server::reread_certificate() {
  TlsContext context;
  if (!gate_) {
    log_.warning("the port does not speak TLS: that changes with a restart",
                 {{"option", "tls.cert"}});
  } else if (const Status status = read_tls_context(options_, context); status.ok()) {
    log_.info("certificate and key were read again");
    tell_validity(log_, context);
    gate_->replace_context(std::move(context));
  } else {
    log_.error("the certificate read before stays in use", {{"error", status.text()}});
  }
}

void Server::stop_listening() {
  group_->take_no_new(place_);
  listener_.close();
}

void Server::accept(int fd, const Address& peer) {
  if (!group_->add_connection(static_cast<size_t>(options_.limits_connections))) {
    ++counters_.connections_refused;
    ::close(fd);
    return;
  }
  const std::shared_ptr<Arrival> arrival = welcome(fd, peer);
  if (!arrival) return;
  const bool introduces = lies_in(balancers_, peer);
  if (!introduces && !admit(arrival->presence(), peer)) return;
  arrival->presence().wait_in(line_);
  const bool taken =
      gate_ && !introduces ? gate_->add(arrival) : reception_->add(arrival, introduces);
  if (!taken) ++counters_.connections_refused;
  keep_lines_short();
}

// Called when one more waits, not before: of two who look ahead at a time each would find room for
// one.
void Server::keep_lines_short() {
  const auto most = static_cast<size_t>(options_.limits_handshakes);
  if (group_->waiting() <= most) return;
  // One server is to have the oldest of all, more or less: the lines grow alike.
  const size_t there = group_->longest_line(place_);
  const auto shorten = [most](Server& server) {
    while (server.group_->waiting() > most && server.line_.end_first()) continue;
  };
  if (there == place_) {
    shorten(*this);
  } else {
    group_->post(there, shorten);
  }
}

// Null, and the connection is over, when there is no memory for it.
std::shared_ptr<Arrival> Server::welcome(int fd, const Address& peer) {
  std::shared_ptr<Presence> presence;
  try {
    presence = std::make_shared<Presence>(group_, peer);
    return std::make_shared<Arrival>(std::move(presence), fd);
  } catch (const std::bad_alloc&) {
    if (!presence) group_->remove_connection();
    ++counters_.connections_refused;
    ::close(fd);
    return nullptr;
  }
}

bool Server::introduce(Arrival& arrival, const Address& client) {
  if (!admit(arrival.presence(), client)) return false;
  if (!gate_) return true;
  // The handshake comes behind the PROXY header, and the request behind that. It waits like a
  // newcomer, which a last look, to let others in, may have made of it no longer.
  arrival.presence().wait_in(line_);
  const int fd = arrival.release();
  if (!gate_->add(std::make_shared<Arrival>(arrival.take_presence(), fd))) {
    ++counters_.connections_refused;
  }
  return false;
}

bool Server::admit(Presence& presence, const Address& peer) {
  presence.set_peer(peer);
  if (lies_in(trusted_, peer) || lies_in(balancers_, peer)) return true;
  if (presence.count_for(peer, static_cast<size_t>(options_.limits_connections_per_ip)))
    return true;
  ++counters_.connections_refused_address;
  return false;
}

bool Server::admit_request(Connection& connection, const Address& client) {
  Presence& presence = *connection.presence;
  if (client == presence.peer()) return true;  // who was admitted with the connection
  connection.counts_request = true;
  if (presence.count_for(client, static_cast<size_t>(options_.limits_connections_per_ip))) {
    return true;
  }
  ++counters_.connections_refused_address;
  return false;
}

void Server::give(const std::shared_ptr<Arrival>& arrival, std::string_view line) {
  if (group_->alone()) {
    arrival->presence().assign(place_);
    adopt(arrival);
    return;
  }
  const std::string_view session = session_in(line, options_.socketio_path);
  const size_t there = session.empty() ? group_->least_busy(place_)
                                       : group_->elsewhere(place_, session).value_or(place_);
  arrival->presence().assign(there);
  if (there != place_) {
    if (arrival->relay) gate_->let_go(*arrival->relay);
    arrival->presence().leave_line();
    const bool given = group_->post(there, [arrival](Server& server) {
      if (arrival->relay) server.gate_->take(arrival->relay);
      server.adopt(arrival);
      server.keep_lines_short();  // on its way it waited in none
    });
    if (given) return;
    if (arrival->relay) gate_->take(arrival->relay);
  }
  arrival->presence().assign(place_);
  adopt(arrival);
}

void Server::adopt(const std::shared_ptr<Arrival>& arrival) {
  if (arrival->fd() >= descriptor_limit_) {
    ++counters_.connections_refused;
    return;
  }
  auto connection =
      std::make_unique<Connection>(arrival->take_presence(), arrival->fd(), arrival->clearance);
  connection->relay = arrival->relay;
  // Before it is adopted: nothing may fail between that and the end.
  connection->presence->wait_in(line_);
  connection->presence->set_end([this, owner = connection.get()] {
    ++counters_.handshakes_displaced;
    end_now(owner->wsi);
  });
  lws_adopt_desc_t info{};
  info.vh = vhost_;
  info.type = static_cast<lws_adoption_type>(LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP);
  info.fd.sockfd = arrival->release();
  info.opaque = connection.get();
  adopting_ = connection.get();
  struct lws* wsi = lws_adopt_descriptor_vhost_via_info(&info);
  if (wsi == nullptr) {  // it has closed the descriptor
    // A failure half-way destroys the connection, and remove() has it then.
    if (std::exchange(adopting_, nullptr) == nullptr) connection.release();
    ++counters_.connections_refused;
    return;
  }
  adopting_ = nullptr;
  connection.release()->wsi = wsi;
  ++counters_.connections_accepted;
}

void Server::remove(Connection* connection) {
  if (adopting_ == connection) adopting_ = nullptr;
  delete connection;
}

bool Server::serve(int fd, short event) {
  lws_pollfd ready{};
  ready.fd = fd;
  ready.events = ready.revents = event;
  // It looks at its deadlines, of which there may be new ones now, only when the system tells it
  // something.
  if (!waking_.active()) waking_.start(kLeastDeadlineMs);
  return lws_service_fd(context_, &ready) == 0;
}

bool Server::await_request(Connection& connection) {
  // libwebsockets looks for a request only after it was told that it can write. It is told so now:
  // the answer has been taken.
  if (!serve(connection.fd, LWS_POLLOUT)) return false;
  lws_rx_flow_control(connection.wsi, 0);
  // How long it waits for one is the reception's. libwebsockets has its deadlines in a list, and
  // would look for the place of the next among those of all that wait.
  lws_set_timeout(connection.wsi, NO_PENDING_TIMEOUT, 0);
  connection.waiting = reception_->hold(connection.fd, &connection, connection.relay.get());
  return connection.waiting;
}

void Server::read_request(Connection& connection, const Clearance& more) {
  connection.waiting = false;
  connection.cleared.bytes += more.bytes;
  connection.cleared.requests += more.requests;
  lws_rx_flow_control(connection.wsi, 1);
  // What was cleared is here. Mostly it is all, and nothing needs to be waited for.
  (void)serve(connection.fd, LWS_POLLIN);  // false: it has ended
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
  try {
    answered_.push_back(exchange.weak_from_this());
  } catch (const std::bad_alloc&) {
    lws_callback_on_writable(exchange.wsi_);
    return;
  }
  answering_.start();
}

// Nobody waits for the system to say that it can take an answer: it can, as a rule, and
// libwebsockets keeps what it does not take.
void Server::write_answers() {
  for (const auto& each : std::exchange(answered_, {})) {
    const auto exchange = each.lock();
    if (!exchange || exchange->wsi_ == nullptr || exchange->sent_) continue;
    (void)serve(lws_get_socket_fd(exchange->wsi_), LWS_POLLOUT);  // false: it has ended
  }
}

void Server::drop(HttpExchange& exchange) {
  lws_set_timeout(exchange.wsi_, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
  lws_cancel_service_pt(exchange.wsi_);  // or it looks at its deadlines only when something happens
}

void Server::close(std::function<void()> closed) {
  listener_.close();
  rereading_.stop();
  waking_.stop();
  group_->leave(place_);
  if (reception_) reception_->clear();
  closed_ = std::move(closed);
  begin_closing();
  if (gate_) gate_->close();  // behind what was sent last
  closing_.start(kTurnMs);
}

// libwebsockets closes its connections in the first call, its handles in the turns that follow, and
// frees itself in the second call, which clears context_.
void Server::begin_closing() {
  if (context_ == nullptr) return;
  lws_context_destroy(context_);
  event_pipe_.disown();
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
