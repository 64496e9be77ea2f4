#include "engine/store/cluster_client.h"

#include <deque>
#include <random>
#include <utility>

#include "engine/core/deadline_queue.h"
#include "engine/store/cluster_nodes.h"
#include "engine/store/cluster_slots.h"
#include "engine/store/cluster_topology.h"
#include "engine/store/command_failures.h"
#include "engine/store/redis_url.h"

namespace signalbox::store {
namespace {

// How long a command waits when the cluster wants it again later.
constexpr uint64_t kPauseMs = 50;

// Redirections that are followed at once. More of them mean nodes that disagree, as they do for a
// moment when a slot has moved; each further one waits for the pause.
constexpr unsigned kQuickRedirections = 4;
constexpr unsigned kMaxRedirections = 16;

constexpr int kNoSlot = -1;

}  // namespace

struct RedisCluster::State final : std::enable_shared_from_this<RedisCluster::State> {
  // Held by what it waits for: a node's pipeline, or `held`.
  struct Command {
    std::vector<std::string> arguments;  // of a script those behind its keys
    Done done;                           // empty once answered
    int slot = kNoSlot;
    const Script* script = nullptr;
    std::vector<std::string> keys;  // of a script
    unsigned redirections = 0;
    uint64_t due_ms = 0;
    Deadline deadline{this};
  };
  using CommandPtr = std::shared_ptr<Command>;

  State(Loop& loop_in, Log& log_in, const Options& options, Counters& counters)
      : loop(loop_in),
        log(log_in),
        max_pending(static_cast<size_t>(options.redis_max_pending)),
        nodes(loop, log, options, counters, [this](bool back) { on_nodes_changed(back); }),
        topology(loop, log, nodes, [this](bool found) { on_told(found); }),
        deadlines(loop, static_cast<uint64_t>(options.redis_command_timeout),
                  [this](void* command) { expire(*static_cast<Command*>(command)); }),
        pause(loop, [this] { release(); }) {}

  void submit(CommandPtr command);
  bool refuses(const Command& command) const;
  void route(const CommandPtr& command);
  void send(const CommandPtr& command, const ClusterAddress& address, bool asking);
  void on_reply(const CommandPtr& command, const ClusterAddress& address, const Reply& reply);
  bool redirect(const CommandPtr& command, const Redirection& redirection);
  void hold(const CommandPtr& command);
  void release();

  void answer(Command& command, const Reply& reply);
  void expire(Command& command);
  void fail_held(const char* text);
  Done conclude(Command& command);

  bool connected() const;
  void on_told(bool found);
  void on_nodes_changed(bool back);
  void review_soon();
  void review();
  void end();

  Loop& loop;
  Log& log;
  const size_t max_pending;

  bool ended = false;
  bool first_attempt = true;  // commands wait for the map; later they are refused without one
  size_t pending = 0;
  const std::shared_ptr<CommandFailures> failures = std::make_shared<CommandFailures>(loop, log);
  ClusterNodes nodes;
  ClusterTopology topology;
  DeadlineQueue deadlines;
  std::deque<CommandPtr> held;  // for the map, or for the pause to end; some may be answered
  Timer pause;
  std::minstd_rand random{std::random_device{}()};

  std::function<void(bool)> on_state;
  bool told_connected = false;
  bool was_connected = false;
  bool review_is_due = false;

  uint64_t reconnects = 0;
  uint64_t timeouts = 0;
};

// Commands

void RedisCluster::State::submit(CommandPtr command) {
  if (ended) return failures->later(std::move(command->done), kRedisEnding);
  if (pending >= max_pending) return failures->later(std::move(command->done), kRedisBusy);
  if (refuses(*command)) return failures->later(std::move(command->done), kRedisAway);
  ++pending;
  command->due_ms = loop.now_ms() + deadlines.delay_ms();
  deadlines.start(command->deadline);
  route(command);
}

// A command without a key is answered by any master, which must not pass for the health of all.
bool RedisCluster::State::refuses(const Command& command) const {
  if (!topology.known()) return !first_attempt;
  return command.slot == kNoSlot && !connected();
}

void RedisCluster::State::route(const CommandPtr& command) {
  if (!topology.known()) {
    held.push_back(command);
    return;
  }
  std::uniform_int_distribution<int> any(0, kSlots - 1);
  const ClusterAddress* owner =
      topology.map().owner(command->slot == kNoSlot ? any(random) : command->slot);
  if (owner != nullptr) return send(command, *owner, false);
  topology.ask();
  hold(command);
}

void RedisCluster::State::send(const CommandPtr& command, const ClusterAddress& address,
                               bool asking) {
  Done done = [this, command, address](const Reply& reply) { on_reply(command, address, reply); };
  // ASKING counts for the next command of the connection only. There is nothing between the two.
  if (asking) nodes.command(address, {"ASKING"}, [](const Reply&) {});
  if (command->script == nullptr) {
    return nodes.command(address, command->arguments, std::move(done));
  }
  if (!asking) {
    return nodes.script(address, *command->script, command->keys, command->arguments,
                        std::move(done));
  }
  // With its text: after NOSCRIPT it would come again without ASKING.
  std::vector<std::string> all = {"EVAL", command->script->text(),
                                  std::to_string(command->keys.size())};
  all.insert(all.end(), command->keys.begin(), command->keys.end());
  all.insert(all.end(), command->arguments.begin(), command->arguments.end());
  nodes.command(address, std::move(all), std::move(done));
}

void RedisCluster::State::on_reply(const CommandPtr& command, const ClusterAddress& address,
                                   const Reply& reply) {
  const auto keep = shared_from_this();
  if (!command->done) return;  // its time is over
  if (reply.type == Reply::Type::kUnavailable && !ended) {
    if (loop.now_ms() >= command->due_ms) ++timeouts;
    topology.ask();
  }
  if (reply.type == Reply::Type::kError) {
    const Redirection redirection = read_redirection(reply.text, address);
    if (redirection.kind == Redirection::Kind::kNone) {
      failures->log_error(reply.text);
    } else if (redirect(command, redirection)) {
      return;
    } else {
      return answer(*command, unavailable(kRedisAstray));
    }
  }
  answer(*command, reply);
}

// False when the nodes send it to and fro.
bool RedisCluster::State::redirect(const CommandPtr& command, const Redirection& redirection) {
  if (redirection.kind == Redirection::Kind::kLater) {
    command->redirections = 0;  // it may well be asked for anew each time, until its slot has moved
    topology.ask();
    hold(command);
    return true;
  }
  if (redirection.kind == Redirection::Kind::kMoved) {
    topology.moved(redirection.slot, redirection.address);
  }
  if (++command->redirections > kMaxRedirections) return false;
  if (command->redirections > kQuickRedirections) {
    hold(command);
  } else {
    send(command, redirection.address, redirection.kind == Redirection::Kind::kAsk);
  }
  return true;
}

void RedisCluster::State::hold(const CommandPtr& command) {
  held.push_back(command);
  if (!pause.active()) pause.start(kPauseMs);
}

void RedisCluster::State::release() {
  for (size_t count = held.size(); count > 0; --count) {
    const CommandPtr command = std::move(held.front());
    held.pop_front();
    if (command->done) route(command);
  }
}

// Answers

Commands::Done RedisCluster::State::conclude(Command& command) {
  --pending;
  command.deadline.stop();
  return std::exchange(command.done, nullptr);
}

void RedisCluster::State::answer(Command& command, const Reply& reply) {
  const Done done = conclude(command);
  loop.guard([&] { done(reply); });
}

// The node that has the command may answer it yet; nobody waits for that any more.
void RedisCluster::State::expire(Command& command) {
  ++timeouts;
  topology.ask();
  failures->later(conclude(command), kRedisLate);
}

void RedisCluster::State::fail_held(const char* text) {
  for (const CommandPtr& command : std::exchange(held, {})) {
    if (command->done) failures->later(conclude(*command), text);
  }
}

// The cluster

bool RedisCluster::State::connected() const {
  if (ended || !topology.known() || !topology.map().complete()) return false;
  for (const ClusterAddress& master : topology.map().masters()) {
    if (nodes.refused(master)) return false;
  }
  return true;
}

void RedisCluster::State::on_told(bool found) {
  first_attempt = false;
  if (found) {
    nodes.keep_only(topology.map().masters());
    release();
  } else {
    topology.ask_later();
    if (!topology.known()) fail_held(kRedisAway);
  }
  review_soon();
}

void RedisCluster::State::on_nodes_changed(bool back) {
  if (ended) return;
  if (back) topology.ask();
  review_soon();
}

// In a later turn: whoever is told may destroy us, and we are inside a callback of a node.
void RedisCluster::State::review_soon() {
  if (std::exchange(review_is_due, true)) return;
  loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->review();
  });
}

void RedisCluster::State::review() {
  const auto keep = shared_from_this();
  review_is_due = false;
  if (!ended) nodes.drop_idle();
  if (ended) return;
  const bool now = connected();
  if (now) {
    topology.settle();
  } else if (topology.known()) {
    topology.ask_later();
  }
  if (now == told_connected) return;
  told_connected = now;
  if (now && std::exchange(was_connected, true)) ++reconnects;
  if (!on_state) return;
  const auto callback = on_state;
  loop.guard([&] { callback(now); });
}

void RedisCluster::State::end() {
  const auto keep = shared_from_this();
  ended = true;
  topology.stop();
  pause.stop();
  nodes.clear();
  fail_held(kRedisEnding);
  failures->answer_all();
}

// The public face

RedisCluster::RedisCluster(Loop& loop, Log& log, const Options& options, Counters& counters)
    : state_(std::make_shared<State>(loop, log, options, counters)) {}

RedisCluster::~RedisCluster() {
  state_->end();
}

void RedisCluster::connect() {
  state_->topology.ask();
}

void RedisCluster::close() {
  state_->end();
}

bool RedisCluster::connected() const {
  return state_->connected();
}

void RedisCluster::set_on_state(std::function<void(bool connected)> on_state) {
  state_->on_state = std::move(on_state);
}

void RedisCluster::choose_node(std::string& host, int& port) {
  std::vector<ClusterAddress> there;
  for (const ClusterAddress& master : state_->topology.map().masters()) {
    if (!state_->nodes.refused(master)) there.push_back(master);
  }
  if (there.empty()) return;
  std::uniform_int_distribution<size_t> any(0, there.size() - 1);
  const ClusterAddress& chosen = there[any(state_->random)];
  host = chosen.host;
  port = chosen.port;
}

const std::string& RedisCluster::host() const {
  return state_->nodes.seed().host;
}

int RedisCluster::port() const {
  return state_->nodes.seed().port;
}

void RedisCluster::command(std::vector<std::string> arguments, Done done) {
  const auto command = std::make_shared<State::Command>();
  if (arguments.size() > 1) command->slot = key_slot(arguments[1]);
  command->arguments = std::move(arguments);
  command->done = std::move(done);
  state_->submit(command);
}

void RedisCluster::script(const Script& script, std::vector<std::string> keys,
                          std::vector<std::string> arguments, Done done) {
  const auto command = std::make_shared<State::Command>();
  if (!keys.empty()) command->slot = key_slot(keys[0]);
  command->arguments = std::move(arguments);
  command->done = std::move(done);
  command->script = &script;
  command->keys = std::move(keys);
  state_->submit(command);
}

Commands::Health RedisCluster::health() const {
  Health health;
  health.connected = connected();
  health.pending = state_->pending;
  health.reconnects = state_->reconnects;
  health.timeouts = state_->timeouts;
  return health;
}

}  // namespace signalbox::store
