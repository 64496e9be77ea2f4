#include "engine/store/registry.h"

#include <algorithm>
#include <utility>

#include "engine/core/id.h"
#include "engine/store/envelope.h"
#include "engine/store/keys.h"
#include "engine/store/registry_scripts.h"
#include "engine/store/split_scripts.h"

namespace signalbox::store {
namespace {

constexpr size_t kSecretLength = 16;
constexpr int kHeartbeatsPerLease = 4;

// While the node's id is being cleaned up after, and after an error.
constexpr uint64_t kAskAgainMs = 250;

// Nodes that one node cleans up after at a time, so that others share the work.
constexpr int kMostClaims = 4;

// What Redis keeps of a node must outlive its lease: a node that comes back, or whoever cleans up,
// may come late.
constexpr const char* kKeysTtlS = "90000";

}  // namespace

Registry::Registry(Loop& loop, Log& log, const Options& options, Commands& redis,
                   Listener& listener)
    : loop_(loop),
      log_(log),
      options_(options),
      redis_(redis),
      listener_(listener),
      id_(random_id(kNodeIdLength)),
      secret_(random_id(kSecretLength)),
      timer_(loop, [this] { beat(); }),
      waiting_timer_(loop, [this] { answer_waiting(); }) {}

Fence Registry::fence() const {
  return {options_.redis_cluster ? node_fence_key(id_) : node_key(id_), "token", token()};
}

std::string Registry::token() const {
  return secret_ + ":" + std::to_string(number_);
}

Fence Registry::claim(const std::string& node) const {
  return {node_key(node), "cleaner", id_};
}

std::vector<std::string> Registry::keys() const {
  return {nodes_key(), node_key(id_)};
}

void Registry::on_connection(bool connected) {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kOut;
  timer_.stop();
  if (connected) ask();
}

void Registry::on_lost() {
  if (phase_ != Phase::kRegistered) return;
  log_.warning("Redis has this node no more: it registers again", {{"node", id_}});
  phase_ = Phase::kOut;
  ask();
}

void Registry::beat() {
  if (phase_ == Phase::kRegistered) {
    renew();
  } else if (phase_ == Phase::kOut) {
    ask();
  }
}

// Registering

void Registry::ask() {
  // Should memory be wanting for the question, it is put anew.
  phase_ = Phase::kOut;
  timer_.start(kAskAgainMs);
  ++registrations_;
  redis_.script(register_script(), keys(),
                {id_, secret_, std::to_string(registrations_), std::to_string(options_.node_ttl),
                 kKeysTtlS, node_channel("")},
                [this](const Reply& reply) { on_answer(reply); });
  phase_ = Phase::kAsking;
  timer_.stop();
}

void Registry::on_answer(const Reply& reply) {
  if (phase_ != Phase::kAsking) return;
  if (reply.text == "registered") return options_.redis_cluster ? raise_fence() : on_registered();
  phase_ = Phase::kOut;
  if (reply.text == "taken") {
    log_.warning("another node has this id: this one takes a new one", {{"node", id_}});
    id_ = random_id(kNodeIdLength);
    listener_.on_renamed();
    return ask();
  }
  // Even with nothing connected: that a part of a cluster has gone, and is back, nobody may tell
  // us.
  timer_.start(kAskAgainMs);
  if (reply.text == "yours") listener_.on_departed(id_);
}

void Registry::raise_fence() {
  redis_.script(raise_fence_script(), {node_fence_key(id_)},
                {secret_, std::to_string(registrations_), kKeysTtlS},
                [this, number = registrations_](const Reply& reply) {
                  if (phase_ != Phase::kAsking || number != registrations_) return;
                  if (reply.text == "raised") return on_registered();
                  phase_ = Phase::kOut;
                  timer_.start(kAskAgainMs);
                });
}

void Registry::on_registered() {
  phase_ = Phase::kRegistered;
  number_ = registrations_;
  timer_.start(static_cast<uint64_t>(options_.node_ttl / kHeartbeatsPerLease));
  listener_.on_registered();
  answer_waiting();
}

void Registry::when_registered(std::function<void()> done) {
  const bool starting = registrations_ == 0 && !redis_.connected();
  const bool can_be_soon = phase_ != Phase::kEnded && (redis_.connected() || starting);
  // Without Redis, or unregistered, what follows will find that out by itself.
  if (registered() || !can_be_soon ||
      waiting_.size() >= static_cast<size_t>(options_.redis_max_pending)) {
    return done();
  }
  // Whatever it is answered, the first attempt to connect is over then.
  if (starting && waiting_.empty()) {
    redis_.command({"EXISTS", node_key(id_)}, [this](const Reply&) {
      if (!redis_.connected()) answer_waiting();
    });
  }
  waiting_.push_back(std::move(done));  // last what may fail
  if (!waiting_timer_.active()) {
    waiting_timer_.start(static_cast<uint64_t>(options_.redis_command_timeout));
  }
}

void Registry::answer_waiting() {
  waiting_timer_.stop();
  for (const auto& done : std::exchange(waiting_, {})) loop_.guard(done);
}

void Registry::unregister() {
  timer_.stop();
  if (std::exchange(phase_, Phase::kEnded) != Phase::kRegistered) return;
  redis_.command({"EXISTS", node_sockets_key(id_)}, [this](const Reply& reply) {
    if (reply.type != Reply::Type::kInteger) return;  // the lease runs out
    redis_.script(unregister_script(), keys(), {id_, token(), std::to_string(reply.integer)},
                  [](const Reply&) {});
    if (!options_.redis_cluster || reply.integer != 0) return;
    redis_.command({"DEL", node_fence_key(id_)}, [](const Reply&) {});
  });
}

// The lease

void Registry::renew() {
  timer_.start(static_cast<uint64_t>(options_.node_ttl / kHeartbeatsPerLease));
  listener_.on_heartbeat();
  redis_.script(heartbeat_script(), keys(),
                {id_, token(), std::to_string(options_.node_ttl), kKeysTtlS,
                 std::to_string(kMostClaims), node_key("")},
                [this](const Reply& reply) { on_renewed(reply); });
}

void Registry::on_renewed(const Reply& reply) {
  if (phase_ != Phase::kRegistered || reply.elements.empty()) return;
  if (reply.elements.front().text == "lost") return on_lost();
  if (reply.elements.size() < 2) return;
  listener_.on_node_count(static_cast<size_t>(reply.elements[1].integer));
  std::for_each(reply.elements.begin() + 2, reply.elements.end(), [this](const Reply& node) {
    loop_.guard([&] { listener_.on_departed(node.text); });
  });
}

void Registry::renew_claim(const std::string& node,
                           std::function<void(const std::optional<std::string>& token)> done) {
  redis_.script(renew_claim_script(), {nodes_key(), node_key(node)},
                {node, id_, std::to_string(options_.node_ttl)},
                [done = std::move(done)](const Reply& reply) {
                  done(reply.type == Reply::Type::kText ? std::optional(reply.text) : std::nullopt);
                });
}

void Registry::release_claim(const std::string& node) {
  redis_.script(release_claim_script(), {nodes_key(), node_key(node)}, {node, id_},
                [](const Reply&) {});
}

}  // namespace signalbox::store
