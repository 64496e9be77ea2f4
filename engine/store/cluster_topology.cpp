#include "engine/store/cluster_topology.h"

#include <algorithm>
#include <utility>

namespace signalbox::store {
namespace {

// A cluster that is being changed corrects us with each command.
constexpr uint64_t kIntervalMs = 100;

// A node that hangs must not keep us from asking the others.
constexpr uint64_t kImpatienceMs = 200;

// While something is wrong: doubled from the first to the last, then cut by up to a half at random.
constexpr uint64_t kFirstBackoffMs = 100;
constexpr uint64_t kLastBackoffMs = 2000;

}  // namespace

ClusterTopology::ClusterTopology(Loop& loop, Log& log, ClusterNodes& nodes,
                                 std::function<void(bool found)> told)
    : loop_(loop),
      log_(log),
      nodes_(nodes),
      told_(std::move(told)),
      impatience_(loop, [this] { ask_next(); }),
      next_(loop, [this] { begin(); }) {}

void ClusterTopology::ask() {
  if (asking_) {
    again_ = true;
    return;
  }
  const uint64_t now = loop_.now_ms();
  schedule(earliest_ms_ > now ? earliest_ms_ - now : 0);
}

void ClusterTopology::ask_later() {
  if (asking_ || next_.active()) return;
  const uint64_t backoff = std::min(kLastBackoffMs, kFirstBackoffMs << std::min(failures_, 10U));
  ++failures_;
  std::uniform_int_distribution<uint64_t> between(backoff / 2, backoff);
  schedule(std::max(between(random_), kIntervalMs));
}

void ClusterTopology::settle() {
  failures_ = 0;
}

void ClusterTopology::stop() {
  ++round_;  // answers to come are not waited for
  asking_ = false;
  next_.stop();
  impatience_.stop();
}

void ClusterTopology::moved(int slot, const ClusterAddress& address) {
  map_.set_owner(slot, address);
  ask();
}

void ClusterTopology::schedule(uint64_t delay_ms) {
  const uint64_t due = loop_.now_ms() + delay_ms;
  if (next_.active() && next_due_ms_ <= due) return;
  next_due_ms_ = due;
  next_.start(delay_ms);
}

// Nodes that we are connected to first. At random otherwise, so that neither one node is asked by
// all engines nor one that knows less than others by us all the time.
void ClusterTopology::begin() {
  if (asking_) {
    again_ = true;
    return;
  }
  ++round_;
  asking_ = true;
  again_ = false;
  unanswered_ = 0;
  earliest_ms_ = loop_.now_ms() + kIntervalMs;
  candidates_ = map_.nodes();
  if (std::find(candidates_.begin(), candidates_.end(), nodes_.seed()) == candidates_.end()) {
    candidates_.push_back(nodes_.seed());
  }
  std::shuffle(candidates_.begin(), candidates_.end(), random_);
  // The last is asked first.
  std::stable_partition(candidates_.begin(), candidates_.end(),
                        [this](const auto& address) { return !nodes_.connected(address); });
  ask_next();
}

void ClusterTopology::ask_next() {
  if (candidates_.empty()) return;
  const ClusterAddress address = std::move(candidates_.back());
  candidates_.pop_back();
  ++unanswered_;
  impatience_.start(kImpatienceMs);
  nodes_.command(
      address, {"CLUSTER", "SLOTS"},
      [this, round = round_, address](const Reply& reply) { on_answer(round, address, reply); });
}

void ClusterTopology::on_answer(uint64_t round, const ClusterAddress& asked, const Reply& reply) {
  if (!asking_ || round != round_) return;
  --unanswered_;
  if (auto map = SlotMap::read(reply, asked)) {
    map_ = std::move(*map);
    known_ = true;
    warned_ = false;
    return finish(true);
  }
  log_failure(asked, reply);
  if (!candidates_.empty()) return ask_next();
  if (unanswered_ == 0) finish(false);
}

void ClusterTopology::finish(bool found) {
  asking_ = false;
  impatience_.stop();
  if (again_) schedule(kIntervalMs);
  told_(found);
}

// Connections that fail are logged where they are made.
void ClusterTopology::log_failure(const ClusterAddress& asked, const Reply& reply) {
  if (reply.type == Reply::Type::kUnavailable || warned_) return;
  warned_ = true;
  log_.warning("a node of Redis does not know the cluster",
               {{"node", asked.host + ":" + std::to_string(asked.port)},
                {"error", reply.type == Reply::Type::kError ? reply.text : "it has no slots"}});
}

}  // namespace signalbox::store
