#include "engine/store/redis.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "engine/store/command_failures.h"
#include "engine/store/redis_link.h"

namespace signalbox::store {
namespace {

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
    Histogram::Clock::time_point sent = {};
  };

  enum class Phase {
    kFirstAttempt,  // commands wait
    kReady,         // commands are sent
    kAway,          // commands are refused
    kEnded,         // the owner is gone
  };

  State(Loop& loop_in, Log& log_in, const Options& options, Counters& counters)
      : loop(loop_in),
        log(log_in),
        round_trips(counters.redis_round_trip),
        command_timeout_ms(static_cast<uint64_t>(options.redis_command_timeout)),
        max_pending(static_cast<size_t>(options.redis_max_pending)),
        link(loop, log, options, "commands", *this),
        deadline(loop, [this] { check_deadline(); }) {}

  void submit(Command command);
  bool send(Command& command);
  bool send_last();
  void fail_all(const char* text);
  void check_deadline();
  void give_up(const std::string& reason, const char* text);
  void tell_state();
  void end();

  void on_up() override;
  void on_reply(const Reply& reply) override;
  void on_down() override;

  Loop& loop;
  Log& log;
  Histogram& round_trips;
  const uint64_t command_timeout_ms;
  const size_t max_pending;

  Phase phase = Phase::kFirstAttempt;
  std::function<void(bool)> on_state;
  RedisLink link;

  // Commands without an answer, oldest first; Redis answers in order. All of them are sent, or (not
  // ready) none.
  std::deque<Command> commands;
  Timer deadline;  // runs while there are commands; due no later than any of them
  const std::shared_ptr<CommandFailures> failures = std::make_shared<CommandFailures>(loop, log);
  bool leaves_errors = false;

  bool was_ready = false;
  uint64_t reconnects = 0;
  uint64_t timeouts = 0;
};

// Commands

void Redis::State::submit(Command command) {
  if (phase == Phase::kEnded) return failures->later(std::move(command.done), kRedisEnding);
  if (phase == Phase::kAway) return failures->later(std::move(command.done), kRedisAway);
  if (commands.size() >= max_pending) return failures->later(std::move(command.done), kRedisBusy);
  if (command.due_ms == 0) command.due_ms = loop.now_ms() + command_timeout_ms;
  // First: when it has been sent, nothing may fail that is needed to know whose the reply is.
  commands.push_back(std::move(command));
  if (phase == Phase::kReady && !send_last()) return;
  if (!deadline.active()) deadline.start(command_timeout_ms);
}

bool Redis::State::send(Command& command) {
  command.sent = Histogram::Clock::now();
  if (!link.send(command.arguments)) return false;
  // Only a script may have to be sent again.
  if (command.script == nullptr) command.arguments.clear();
  return true;
}

bool Redis::State::send_last() {
  bool sent = false;
  try {
    sent = send(commands.back());
  } catch (...) {
    commands.pop_back();
    throw;
  }
  if (sent) return true;
  Done done = std::move(commands.back().done);
  commands.pop_back();
  failures->later(std::move(done), kRedisAway);
  return false;
}

void Redis::State::fail_all(const char* text) {
  loop.guard([&] {
    for (Command& command : commands) failures->add(std::move(command.done), text);
  });
  commands.clear();
  deadline.stop();
  failures->answer_now();
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
  deadline.start(command_timeout_ms);  // should memory be wanting for what follows
  const auto keep = shared_from_this();
  if (phase == Phase::kReady) {
    // Replies come in order: nothing behind this command can be answered either.
    return give_up("no answer within " + std::to_string(command_timeout_ms) + " ms", kRedisLate);
  }
  phase = Phase::kAway;  // the attempt goes on
  fail_all(kRedisLate);
}

void Redis::State::on_reply(const Reply& reply) {
  const auto keep = shared_from_this();
  Command command = std::move(commands.front());
  commands.pop_front();
  round_trips.add_since(command.sent);
  bool no_master = false;
  if (reply.type == Reply::Type::kError) {
    if (command.script != nullptr && reply.text.starts_with("NOSCRIPT")) {
      command.arguments[0] = "EVAL";
      command.arguments[1] = command.script->text();
      command.script = nullptr;
      return submit(std::move(command));
    }
    if (!leaves_errors) {
      failures->log_error(reply.text);
      no_master = tells_of_no_master(reply.text);
    }
  }
  loop.guard([&] { command.done(reply); });
  if (no_master && phase == Phase::kReady) give_up(reply.text, kRedisAway);
}

// The connection

void Redis::State::on_up() {
  const auto keep = shared_from_this();
  if (was_ready) ++reconnects;
  was_ready = true;
  phase = Phase::kReady;
  // Those that waited for the first attempt. Behind one that was not sent no reply could be told
  // whose it is.
  const bool sent = loop.guard([this] {
    for (Command& command : commands) {
      if (!send(command)) break;  // the connection is ending, which fails them all
    }
  });
  if (!sent) return give_up("out of memory", kRedisAway);
  tell_state();
}

void Redis::State::on_down() {
  const auto keep = shared_from_this();
  const bool lost = phase == Phase::kReady;
  phase = Phase::kAway;
  fail_all(kRedisAway);
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
  fail_all(kRedisEnding);
  failures->answer_all();
}

// The public face

Redis::Redis(Loop& loop, Log& log, const Options& options, Counters& counters)
    : state_(std::make_shared<State>(loop, log, options, counters)) {}

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
