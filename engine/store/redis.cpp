#include "engine/store/redis.h"

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "engine/core/resolver.h"
#include "engine/store/redis_connection.h"
#include "engine/store/redis_url.h"
#include "engine/store/sha1.h"

namespace signalbox::store {
namespace {

// Between two attempts to connect: doubled from the first to the last, then cut by up to a half at
// random, so that many engines do not come back to a restarted Redis all at once.
constexpr uint64_t kFirstBackoffMs = 50;
constexpr uint64_t kLastBackoffMs = 2000;

// Error replies are logged at most this often: they come as fast as commands do.
constexpr uint64_t kErrorLogIntervalMs = 1000;

constexpr const char* kAway = "Redis is not reachable";
constexpr const char* kLate = "Redis did not answer in time";
constexpr const char* kBusy = "too many commands are waiting for Redis";
constexpr const char* kEnding = "the engine is stopping";

// A URL as it may be shown: nothing that could be a password must get into a log.
std::string without_login(const std::string& url) {
  if (url.find('@') == std::string::npos) return url;
  return url.substr(0, url.find("://")) + "://***";
}

RedisUrl url_of(const Options& options) {
  RedisUrl url;
  (void)parse_redis_url(options.redis_url, url);
  return url;
}

}  // namespace

Script::Script(std::string_view text) : text_(text), sha_(sha1_hex(text)) {}

struct Redis::State final : RedisConnection::Listener, std::enable_shared_from_this<Redis::State> {
  struct Command {
    std::vector<std::string> arguments;
    Done done;
    const Script* script = nullptr;  // while it was sent by its name only
    uint64_t due_ms = 0;
  };

  struct Failure {
    Done done;
    const char* text;
  };

  enum class Phase {
    kFirstAttempt,  // commands wait
    kReady,         // commands are sent
    kAway,          // commands are refused
    kEnded,         // the owner is gone
  };

  State(Loop& loop_in, const Log& log_in, const Options& options)
      : loop(loop_in),
        log(log_in),
        url(url_of(options)),
        connect_timeout_ms(static_cast<uint64_t>(options.redis_connect_timeout)),
        command_timeout_ms(static_cast<uint64_t>(options.redis_command_timeout)),
        max_pending(static_cast<size_t>(options.redis_max_pending)),
        resolver(loop),
        attempt_timer(loop, [this] { attempt(); }),
        deadline(loop, [this] { check_deadline(); }) {}

  void submit(Command command);
  bool send(Command& command);
  void refuse(Done done, const char* text);
  void fail_all(const char* text);
  void answer_failures(size_t count);
  void check_deadline();
  void log_error(const std::string& text);

  void attempt();
  void try_next_address(std::string reason);
  void attempt_failed(const std::string& reason);
  void end();

  void on_ready() override;
  void on_reply(const Reply& reply) override;
  void on_lost(const std::string& reason) override;

  Loop& loop;
  const Log& log;
  const RedisUrl url;
  const uint64_t connect_timeout_ms;
  const uint64_t command_timeout_ms;
  const size_t max_pending;

  Phase phase = Phase::kFirstAttempt;
  bool was_ready = false;
  unsigned failed_attempts = 0;
  std::vector<std::string> addresses;  // of the attempt that is being made, those not yet tried
  Resolver resolver;
  std::unique_ptr<RedisConnection> connection;
  Timer attempt_timer;
  std::minstd_rand jitter{std::random_device{}()};

  // Commands without an answer, oldest first. Redis answers in order and all have the same time, so
  // that the first is always the first to be due. All of them are sent, or (not ready) none.
  std::deque<Command> commands;
  Timer deadline;  // runs while there are commands; due no later than the first of them
  std::deque<Failure> failures;
  uint64_t error_log_due_ms = 0;

  uint64_t reconnects = 0;
  uint64_t timeouts = 0;
};

// Commands

void Redis::State::submit(Command command) {
  if (phase == Phase::kEnded) return refuse(std::move(command.done), kEnding);
  if (phase == Phase::kAway) return refuse(std::move(command.done), kAway);
  if (commands.size() >= max_pending) return refuse(std::move(command.done), kBusy);
  if (phase == Phase::kReady && !send(command)) return refuse(std::move(command.done), kAway);
  command.due_ms = loop.now_ms() + command_timeout_ms;
  commands.push_back(std::move(command));
  if (!deadline.active()) deadline.start(command_timeout_ms);
}

bool Redis::State::send(Command& command) {
  if (!connection->send(command.arguments)) return false;
  // Only a script may have to be sent again.
  if (command.script == nullptr) command.arguments.clear();
  return true;
}

// Answers in a later turn, because we are inside the caller's call.
void Redis::State::refuse(Done done, const char* text) {
  failures.push_back({std::move(done), text});
  loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->answer_failures(1);
  });
}

void Redis::State::fail_all(const char* text) {
  for (Command& command : commands) failures.push_back({std::move(command.done), text});
  commands.clear();
  deadline.stop();
  answer_failures(failures.size());
}

// One by one off the member, so that a callback that destroys Redis finds the others answered when
// that returns. No more than were there: a callback may send again, and is refused again.
void Redis::State::answer_failures(size_t count) {
  const auto keep = shared_from_this();
  for (; count > 0 && !failures.empty(); --count) {
    const Failure failure = std::move(failures.front());
    failures.pop_front();
    Reply reply;
    reply.text = failure.text;
    loop.guard([&] { failure.done(reply); });
  }
}

void Redis::State::check_deadline() {
  if (commands.empty()) return;
  const uint64_t now = loop.now_ms();
  if (commands.front().due_ms > now) return deadline.start(commands.front().due_ms - now);
  ++timeouts;
  const auto keep = shared_from_this();
  if (phase == Phase::kReady) {
    // Replies come in order: nothing behind this command can be answered either.
    connection.reset();
    attempt_failed("no answer within " + std::to_string(command_timeout_ms) + " ms");
  } else {
    phase = Phase::kAway;  // the attempt goes on
  }
  fail_all(kLate);
}

void Redis::State::on_reply(const Reply& reply) {
  const auto keep = shared_from_this();
  Command command = std::move(commands.front());
  commands.pop_front();
  if (reply.type == Reply::Type::kError) {
    if (command.script != nullptr && reply.text.starts_with("NOSCRIPT")) {
      command.arguments[0] = "EVAL";
      command.arguments[1] = command.script->text();
      command.script = nullptr;
      return submit(std::move(command));
    }
    log_error(reply.text);
  }
  loop.guard([&] { command.done(reply); });
}

void Redis::State::log_error(const std::string& text) {
  if (loop.now_ms() < error_log_due_ms) return;
  error_log_due_ms = loop.now_ms() + kErrorLogIntervalMs;
  log.warning("redis: a command failed: " + text);
}

// Connecting

void Redis::State::attempt() {
  if (url.is_unix || is_numeric_address(url.host)) {
    addresses = {url.host};
    return try_next_address("");
  }
  // hiredis would look the name up itself, and stop the loop meanwhile.
  resolver.resolve(url.host, [this](std::vector<std::string> found, const std::string& error) {
    addresses = std::move(found);
    try_next_address(error);
  });
}

// `reason`: why the address before, if any, did not do.
void Redis::State::try_next_address(std::string reason) {
  const auto keep = shared_from_this();
  while (!addresses.empty()) {
    const std::string address = std::move(addresses.front());
    addresses.erase(addresses.begin());
    connection = std::make_unique<RedisConnection>(loop, url, connect_timeout_ms, *this);
    const Status status = connection->open(address);
    if (status.ok()) return;
    connection.reset();
    reason = status.text();
  }
  attempt_failed(reason);
  fail_all(kAway);
}

void Redis::State::attempt_failed(const std::string& reason) {
  // Of a long outage the beginning is news, the rest is not.
  const LogLevel level = failed_attempts == 0 ? LogLevel::kWarning : LogLevel::kDebug;
  if (log.enabled(level)) {
    log.write(level,
              "redis: " + std::string(phase == Phase::kReady ? "lost" : "cannot connect to") + " " +
                  url.host + ": " + reason);
  }
  phase = Phase::kAway;
  const unsigned doublings = std::min(failed_attempts, 10U);
  ++failed_attempts;
  const uint64_t backoff = std::min(kLastBackoffMs, kFirstBackoffMs << doublings);
  std::uniform_int_distribution<uint64_t> between(backoff / 2, backoff);
  attempt_timer.start(between(jitter));
}

void Redis::State::on_ready() {
  log.info("redis: connected to " + url.host);
  if (was_ready) ++reconnects;
  was_ready = true;
  failed_attempts = 0;
  addresses.clear();
  phase = Phase::kReady;
  // Those that waited for the first attempt.
  for (Command& command : commands) {
    if (!send(command)) break;  // the connection is ending, which fails them all
  }
}

void Redis::State::on_lost(const std::string& reason) {
  connection.reset();
  if (phase != Phase::kReady) return try_next_address(reason);
  const auto keep = shared_from_this();
  attempt_failed(reason);
  fail_all(kAway);
}

void Redis::State::end() {
  const auto keep = shared_from_this();
  phase = Phase::kEnded;
  connection.reset();
  attempt_timer.stop();
  resolver.forget();
  fail_all(kEnding);
  // What these callbacks sent is refused, and nobody will come back for it.
  while (!failures.empty()) answer_failures(failures.size());
}

// The public face

Status Redis::validate_url(const std::string& url) {
  RedisUrl ignored;
  const Status status = parse_redis_url(url, ignored);
  if (status.ok()) return status;
  return {status.code(),
          "option redis.url: '" + without_login(url) + "' is not allowed; " + status.text()};
}

Redis::Redis(Loop& loop, const Log& log, const Options& options)
    : state_(std::make_shared<State>(loop, log, options)) {}

Redis::~Redis() {
  state_->end();
}

void Redis::connect() {
  state_->attempt_timer.start(0);  // not here: a refusal would be told inside this call
}

void Redis::close() {
  state_->end();
}

bool Redis::connected() const {
  return state_->phase == State::Phase::kReady;
}

const std::string& Redis::host() const {
  return state_->url.host;
}

int Redis::port() const {
  return state_->url.port;
}

void Redis::command(std::vector<std::string> arguments, Done done) {
  state_->submit({std::move(arguments), std::move(done)});
}

void Redis::script(const Script& script, std::vector<std::string> keys,
                   std::vector<std::string> arguments, Done done) {
  std::vector<std::string> all = {"EVALSHA", script.sha(), std::to_string(keys.size())};
  all.reserve(all.size() + keys.size() + arguments.size());
  std::move(keys.begin(), keys.end(), std::back_inserter(all));
  std::move(arguments.begin(), arguments.end(), std::back_inserter(all));
  state_->submit({std::move(all), std::move(done), &script});
}

Redis::Health Redis::health() const {
  Health health;
  health.connected = connected();
  health.pending = state_->commands.size();
  health.reconnects = state_->reconnects;
  health.timeouts = state_->timeouts;
  return health;
}

}  // namespace signalbox::store
