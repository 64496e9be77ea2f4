#include "engine/store/redis_link.h"

#include <algorithm>
#include <utility>

namespace signalbox::store {
namespace {

// Between two attempts to connect: doubled from the first to the last, then cut by up to a half at
// random, so that many engines do not come back to a restarted Redis all at once.
constexpr uint64_t kFirstRetryMs = 50;
constexpr uint64_t kLastRetryMs = 2000;
// With sentinels, which may name a new master at any moment.
constexpr uint64_t kLastSentinelRetryMs = 500;
// Redis is back for the others, too: who comes much later than they is given up.
constexpr uint64_t kAttemptsPerLease = 4;

// A master that has just been lost is named until a new one is chosen. It need not refuse us: it
// may be silent, and the attempt would wait for it.
constexpr uint64_t kLookAgainMs = 250;

// A connection that ends sooner has failed like one that was not made: a Redis that lets us in and
// then does not serve us must not be asked twenty times a second.
constexpr uint64_t kSettledMs = 2000;

uint64_t last_backoff_ms(const Options& options) {
  return std::min(options.redis_sentinels.empty() ? kLastRetryMs : kLastSentinelRetryMs,
                  static_cast<uint64_t>(options.node_ttl) / kAttemptsPerLease);
}

RedisUrl url_of(const Options& options) {
  RedisUrl url;
  (void)parse_redis_url(options.redis_url, url);
  if (!options.redis_sentinels.empty()) {
    url.host = options.redis_master_name;
    url.port = 0;
  }
  return url;
}

std::unique_ptr<RedisTls> tls_of(const Options& options, const RedisUrl& url) {
  std::unique_ptr<RedisTls> tls;
  if (!url.tls) return tls;
  // The files may have changed since the options were found valid.
  if (!RedisTls::create(options, tls).ok()) tls.reset();
  return tls;
}

}  // namespace

RedisLink::RedisLink(Loop& loop, Log& log, const Options& options, const char* name,
                     Listener& listener)
    : loop_(loop),
      log_(log),
      url_(url_of(options)),
      tls_(tls_of(options, url_)),
      sentinel_(options.redis_sentinels.empty()
                    ? nullptr
                    : std::make_unique<Sentinel>(loop, options, tls_.get())),
      connect_timeout_ms_(static_cast<uint64_t>(options.redis_connect_timeout)),
      last_backoff_ms_(last_backoff_ms(options)),
      name_(name),
      listener_(listener),
      resolver_(loop),
      attempt_timer_(loop, [this] { attempt(); }),
      ask_again_timer_(loop, [this] { ask_again(); }) {}

void RedisLink::connect() {
  attempt_timer_.start(0);  // not here: a refusal would be told inside this call
}

bool RedisLink::send(const std::vector<std::string>& arguments) {
  return connection_->send(arguments);
}

void RedisLink::drop(const std::string& reason) {
  connection_.reset();
  try_again_later(reason);
}

void RedisLink::close() {
  up_ = false;
  connection_.reset();
  attempt_timer_.stop();
  resolver_.forget();
  stop_asking();
}

void RedisLink::attempt() {
  if (!loop_.guard([this] { begin_attempt(); })) fail(RedisConnection::kNoMemory);
}

void RedisLink::begin_attempt() {
  if (choose_) {
    choose_(url_.host, url_.port);
    url_.is_unix = url_.port == 0;
  }
  if (!sentinel_) return look_up();
  sentinel_->find_master([this](const Sentinel::Answer& answer) { on_master(answer); });
}

void RedisLink::on_master(const Sentinel::Answer& answer) {
  if (!answer.error.empty()) return try_next_address(answer.error);
  url_.host = answer.host;
  url_.port = answer.port;
  url_.is_unix = false;
  ask_again_timer_.start(kLookAgainMs);
  look_up();
}

void RedisLink::ask_again() {
  sentinel_->find_master([this](const Sentinel::Answer& answer) {
    if (!answer.error.empty() || (answer.host == url_.host && answer.port == url_.port)) {
      return ask_again_timer_.start(kLookAgainMs);
    }
    connection_.reset();
    on_master(answer);
  });
}

void RedisLink::stop_asking() {
  ask_again_timer_.stop();
  if (sentinel_) sentinel_->forget();
}

void RedisLink::look_up() {
  resolver_.forget();  // of a master that has been replaced meanwhile
  if (url_.is_unix || is_numeric_address(url_.host)) {
    addresses_ = {url_.host};
    return try_next_address("");
  }
  // hiredis would look the name up itself, and stop the loop meanwhile.
  resolver_.resolve(url_.host, [this](std::vector<std::string> found, const std::string& error) {
    addresses_ = std::move(found);
    try_next_address(error);
  });
}

// `reason`: why the address before, if any, did not do.
void RedisLink::try_next_address(const std::string& reason) {
  std::string last_reason;
  bool opened = false;
  const bool tried = loop_.guard([&] {
    last_reason = reason;
    opened = open_next_address(last_reason);
  });
  if (opened) return;
  if (!tried) last_reason = RedisConnection::kNoMemory;
  fail(last_reason);
}

void RedisLink::fail(const std::string& reason) {
  connection_.reset();
  try_again_later(reason);
  listener_.on_down();
}

bool RedisLink::open_next_address(std::string& reason) {
  const auto role = sentinel_ ? RedisConnection::Role::kMaster : RedisConnection::Role::kAny;
  while (!addresses_.empty()) {
    const std::string address = std::move(addresses_.front());
    addresses_.erase(addresses_.begin());
    RedisConnection::Listener& listener = *this;  // a base that make_unique may not see
    connection_ = std::make_unique<RedisConnection>(loop_, url_, tls_.get(), role,
                                                    connect_timeout_ms_, listener);
    const Status status = connection_->open(address);
    if (status.ok()) return true;
    connection_.reset();
    reason = status.text();
  }
  return false;
}

void RedisLink::try_again_later(const std::string& reason) {
  stop_asking();
  const bool lost = std::exchange(up_, false);
  if (lost && loop_.now_ms() - up_since_ms_ >= kSettledMs) failures_ = 0;
  // Of a long outage, or of connections that all end at once, the beginning is news.
  const LogLevel level = failures_ == 0 ? LogLevel::kWarning : LogLevel::kDebug;
  const unsigned doublings = std::min(failures_, 10U);
  ++failures_;
  const uint64_t backoff = std::min(last_backoff_ms_, kFirstRetryMs << doublings);
  std::uniform_int_distribution<uint64_t> between(backoff / 2, backoff);
  attempt_timer_.start(between(jitter_));
  if (!log_.enabled(level)) return;
  loop_.guard([&] {
    log_.write(level, lost ? "lost the connection to Redis" : "cannot connect to Redis",
               {{"link", name_}, {"to", where()}, {"error", reason}});
  });
}

// For the log: the masters of one name may differ in their ports only.
std::string RedisLink::where() const {
  return url_.port == 0 ? url_.host : url_.host + ":" + std::to_string(url_.port);
}

void RedisLink::on_ready() {
  loop_.guard([this] { log_.info("connected to Redis", {{"link", name_}, {"to", where()}}); });
  addresses_.clear();
  stop_asking();
  up_ = true;
  up_since_ms_ = loop_.now_ms();
  listener_.on_up();
}

void RedisLink::on_reply(const Reply& reply) {
  listener_.on_reply(reply);
}

void RedisLink::on_lost(const std::string& reason) {
  connection_.reset();
  if (!up_) return try_next_address(reason);
  try_again_later(reason);
  listener_.on_down();
}

}  // namespace signalbox::store
