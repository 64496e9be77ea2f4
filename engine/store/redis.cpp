#include "engine/store/redis.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "engine/store/redis_link.h"

namespace signalbox::store {
namespace {

// Error replies are logged at most this often: they come as fast as commands do.
constexpr uint64_t kErrorLogIntervalMs = 1000;

constexpr const char* kAway = "Redis is not reachable";
constexpr const char* kLate = "Redis did not answer in time";
constexpr const char* kBusy = "too many commands are waiting for Redis";
constexpr const char* kEnding = "the engine is stopping";

// Whether the error says that this Redis does not serve writes, though another may by now: it has
// become a replica, or is one that has lost its master, or loads its data.
bool tells_of_no_master(const std::string& error) {
  for (const char* code : {"READONLY ", "MASTERDOWN ", "LOADING "}) {
    if (error.starts_with(code)) return true;
  }
  // So Redis before 7 wraps what failed inside a script.
  return error.starts_with("ERR Error running script") &&
         error.find("-READONLY ") != std::string::npos;
}

}  // namespace

struct Redis::State final : RedisLink::Listener, std::enable_shared_from_this<Redis::State> {
  struct Command {
    std::vector<std::string> arguments;
    Done done;
    const Script* script = nullptr;  // while it was sent by its name only
    uint64_t due_ms = 0;             // 0: not submitted yet
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
        command_timeout_ms(static_cast<uint64_t>(options.redis_command_timeout)),
        max_pending(static_cast<size_t>(options.redis_max_pending)),
        link(loop, log, options, "redis", *this),
        deadline(loop, [this] { check_deadline(); }) {}

  void submit(Command command);
  bool send(Command& command);
  void refuse(Done done, const char* text);
  void fail_all(const char* text);
  void answer_failures(size_t count);
  void check_deadline();
  void log_error(const std::string& text);
  void give_up(const std::string& reason, const char* text);
  void tell_state();
  void end();

  void on_up() override;
  void on_reply(const Reply& reply) override;
  void on_down() override;

  Loop& loop;
  const Log& log;
  const uint64_t command_timeout_ms;
  const size_t max_pending;

  Phase phase = Phase::kFirstAttempt;
  std::function<void(bool)> on_state;
  RedisLink link;

  // Commands without an answer, oldest first; Redis answers in order. All of them are sent, or (not
  // ready) none.
  std::deque<Command> commands;
  Timer deadline;  // runs while there are commands; due no later than any of them
  std::deque<Failure> failures;
  bool leaves_errors = false;
  uint64_t error_log_due_ms = 0;

  bool was_ready = false;
  uint64_t reconnects = 0;
  uint64_t timeouts = 0;
};

// Commands

void Redis::State::submit(Command command) {
  if (phase == Phase::kEnded) return refuse(std::move(command.done), kEnding);
  if (phase == Phase::kAway) return refuse(std::move(command.done), kAway);
  if (commands.size() >= max_pending) return refuse(std::move(command.done), kBusy);
  if (phase == Phase::kReady && !send(command)) return refuse(std::move(command.done), kAway);
  if (command.due_ms == 0) command.due_ms = loop.now_ms() + command_timeout_ms;
  commands.push_back(std::move(command));
  if (!deadline.active()) deadline.start(command_timeout_ms);
}

bool Redis::State::send(Command& command) {
  if (!link.send(command.arguments)) return false;
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
  // Not always the first: a script that is sent again keeps its deadline, but not its place.
  const uint64_t due_ms =
      std::min_element(commands.begin(), commands.end(), [](const Command& a, const Command& b) {
        return a.due_ms < b.due_ms;
      })->due_ms;
  const uint64_t now = loop.now_ms();
  if (due_ms > now) return deadline.start(due_ms - now);
  ++timeouts;
  const auto keep = shared_from_this();
  if (phase == Phase::kReady) {
    // Replies come in order: nothing behind this command can be answered either.
    return give_up("no answer within " + std::to_string(command_timeout_ms) + " ms", kLate);
  }
  phase = Phase::kAway;  // the attempt goes on
  fail_all(kLate);
}

void Redis::State::on_reply(const Reply& reply) {
  const auto keep = shared_from_this();
  Command command = std::move(commands.front());
  commands.pop_front();
  bool no_master = false;
  if (reply.type == Reply::Type::kError) {
    if (command.script != nullptr && reply.text.starts_with("NOSCRIPT")) {
      command.arguments[0] = "EVAL";
      command.arguments[1] = command.script->text();
      command.script = nullptr;
      return submit(std::move(command));
    }
    if (!leaves_errors) {
      log_error(reply.text);
      no_master = tells_of_no_master(reply.text);
    }
  }
  loop.guard([&] { command.done(reply); });
  if (no_master && phase == Phase::kReady) give_up(reply.text, kAway);
}

void Redis::State::log_error(const std::string& text) {
  if (loop.now_ms() < error_log_due_ms) return;
  error_log_due_ms = loop.now_ms() + kErrorLogIntervalMs;
  log.warning("redis: a command failed: " + text);
}

// The connection

void Redis::State::on_up() {
  const auto keep = shared_from_this();
  if (was_ready) ++reconnects;
  was_ready = true;
  phase = Phase::kReady;
  // Those that waited for the first attempt.
  for (Command& command : commands) {
    if (!send(command)) break;  // the connection is ending, which fails them all
  }
  tell_state();
}

void Redis::State::on_down() {
  const auto keep = shared_from_this();
  const bool lost = phase == Phase::kReady;
  phase = Phase::kAway;
  fail_all(kAway);
  if (lost) tell_state();
}

// Of a connection that is of no use any more. `text` is what waits behind is answered with.
void Redis::State::give_up(const std::string& reason, const char* text) {
  phase = Phase::kAway;
  link.drop(reason);
  fail_all(text);
  tell_state();
}

void Redis::State::tell_state() {
  if (!on_state || phase == Phase::kEnded) return;
  loop.guard([&] { on_state(phase == Phase::kReady); });
}

void Redis::State::end() {
  const auto keep = shared_from_this();
  phase = Phase::kEnded;
  link.close();
  fail_all(kEnding);
  // What these callbacks sent is refused, and nobody will come back for it.
  while (!failures.empty()) answer_failures(failures.size());
}

// The public face

Redis::Redis(Loop& loop, const Log& log, const Options& options)
    : state_(std::make_shared<State>(loop, log, options)) {}

Redis::~Redis() {
  state_->end();
}

void Redis::connect() {
  state_->link.connect();
}

void Redis::close() {
  state_->end();
}

bool Redis::connected() const {
  return state_->phase == State::Phase::kReady;
}

void Redis::set_on_state(std::function<void(bool connected)> on_state) {
  state_->on_state = std::move(on_state);
}

void Redis::leave_errors_to_owner() {
  state_->leaves_errors = true;
}

const std::string& Redis::host() const {
  return state_->link.host();
}

int Redis::port() const {
  return state_->link.port();
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
