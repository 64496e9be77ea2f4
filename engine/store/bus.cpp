#include "engine/store/bus.h"

#include <algorithm>
#include <utility>

#include "engine/core/id.h"
#include "engine/store/keys.h"

namespace signalbox::store {
namespace {

// Between two attempts to reach a node that does not listen.
constexpr uint64_t kRetryMs = 100;

// A route that has been silent for so long is forgotten; one that is made anew has another id. The
// other end remembers for longer, so as not to take what comes late for the rest of something lost.
constexpr uint64_t kForgetRouteMs = 600'000;
constexpr uint64_t kForgetSenderMs = 2 * kForgetRouteMs;

// So many of one route wait for their answers at a time: enough to be fast, and what has waited for
// long does not take all of redis.max_pending from everything else.
constexpr size_t kWindow = 256;

constexpr const char* kTooMany = "more than node.max_buffered bytes wait";

uint32_t new_route_id() {
  uint32_t id = 0;
  for (const char c : random_id(sizeof(id))) id = id << 8U | static_cast<unsigned char>(c);
  return id;
}

// The first with that sequence or a later one.
template <typename Messages>
auto first_from(Messages& messages, uint64_t sequence) {
  return std::lower_bound(
      messages.begin(), messages.end(), sequence,
      [](const auto& message, uint64_t wanted) { return message.sequence < wanted; });
}

}  // namespace

Bus::Bus(Loop& loop, Log& log, const Options& options, Counters& counters, Commands& redis,
         std::shared_ptr<Siblings> siblings, Listener& listener)
    : loop_(loop),
      log_(log),
      options_(options),
      counters_(counters),
      redis_(redis),
      listener_(listener),
      retry_(loop, [this] { retry(); }),
      probe_(loop, [this] { subscription_.restart("what is published does not arrive"); }),
      subscription_(
          loop, log, options,
          [this](std::string_view /*channel*/, std::string_view payload) { on_message(payload); },
          [this](bool ready) {
            if (ready) listener_.on_missed();
          }),
      siblings_(std::move(siblings)),
      inbox_(std::make_shared<Siblings::Inbox>(
          loop, [this](std::string_view bytes) { on_passed(bytes); })) {}

void Bus::open(const std::string& id) {
  const bool first = id_.empty();
  if (!first) {
    subscription_.unsubscribe(node_channel(id_));
    siblings_->leave(id_, inbox_);
  }
  id_ = id;
  siblings_->enter(id, inbox_);
  subscription_.subscribe(node_channel(id));
  if (!first) return;
  subscription_.set_choose(
      [this](std::string& host, int& port) { redis_.choose_node(host, port); });
  subscription_.connect();
}

void Bus::close() {
  siblings_->leave(id_, inbox_);
  inbox_->close();
  subscription_.close();
}

size_t Bus::waiting() const {
  size_t count = 0;
  for (const auto& [node, route] : routes_) count += route.unheard ? 0 : route.messages.size();
  return count;
}

// Sending

void Bus::send(std::string_view node, Envelope envelope) {
  if (pass_to_sibling(node, envelope)) return;
  const auto [found, is_new] = routes_.try_emplace(std::string(node));
  auto& [name, route] = *found;
  if (is_new) route.id = new_route_id();
  envelope.sender = id_;
  envelope.route = route.id;
  envelope.sequence = route.next_sequence;
  envelope.stamp = 0;
  std::string bytes = encode(envelope);
  if (buffered_ + bytes.size() > static_cast<size_t>(options_.node_max_buffered)) {
    return count_dropped(kTooMany);
  }
  ++route.next_sequence;
  buffered_ += bytes.size();
  route.used_ms = loop_.now_ms();
  route.messages.push_back({envelope.sequence, std::move(bytes),
                            loop_.now_ms() + static_cast<uint64_t>(options_.node_ttl)});
  publish_more(name, route);
}

// False when it is none.
bool Bus::pass_to_sibling(std::string_view node, Envelope& envelope) {
  envelope.sender = id_;
  const auto most = static_cast<size_t>(options_.node_max_buffered);
  switch (siblings_->pass(node, envelope, most)) {
    case Siblings::Passed::kYes:
      ++counters_.bus_sent;
      return true;
    case Siblings::Passed::kFull:
      count_dropped(kTooMany);
      return true;
    case Siblings::Passed::kAbsent:
      break;
  }
  return false;
}

void Bus::publish(const std::string& channel, Envelope envelope) {
  envelope.sender = id_;
  redis_.command({"PUBLISH", channel, encode(envelope)}, [this](const Reply& reply) {
    if (reply.type == Reply::Type::kInteger) {
      ++counters_.bus_sent;
    } else {
      count_dropped(reply.text);
    }
  });
}

void Bus::publish_more(const std::string& node, Route& route) {
  const size_t window = route.doubtful ? 1 : kWindow;
  auto next = first_from(route.messages, route.next_to_publish);
  while (next != route.messages.end() && !route.stopped && route.answers_due < window &&
         redis_.connected()) {
    publish_to(node, route, *next++);
  }
  const bool waits = route.stopped ? !route.messages.empty() : next != route.messages.end();
  if (waits && !retry_.active()) retry_.start(kRetryMs);
}

void Bus::publish_to(const std::string& node, Route& route, const Message& message) {
  route.next_to_publish = message.sequence + 1;
  ++route.answers_due;
  redis_.command({"PUBLISH", node_channel(node), message.bytes},
                 [this, node, id = route.id, sequence = message.sequence](const Reply& reply) {
                   on_published(node, id, sequence, reply);
                 });
}

void Bus::on_published(const std::string& node, uint32_t id, uint64_t sequence,
                       const Reply& reply) {
  const auto found = routes_.find(node);
  if (found == routes_.end() || found->second.id != id) return;
  Route& route = found->second;
  --route.answers_due;
  // A cluster counts only those who listen at the master that we asked, and passes it on to others.
  const bool heard =
      reply.type == Reply::Type::kInteger && (reply.integer > 0 || options_.redis_cluster);
  if (heard) {
    forget_until(route, sequence, "they would come out of order now");
    if (!route.messages.empty() && route.messages.front().sequence == sequence) {
      ++counters_.bus_sent;
      buffered_ -= route.messages.front().bytes.size();
      route.messages.pop_front();
    }
    route.unheard = false;
    route.doubtful = route.stopped;
  } else if (reply.type == Reply::Type::kError && reply.text.starts_with("NOPERM")) {
    refused(route, sequence, reply.text);
  } else {
    // Not reached, or not known to be: again from here. What the other one has had it knows by its
    // number.
    route.stopped = route.doubtful = true;
    route.unheard = reply.type == Reply::Type::kInteger;
  }
  publish_more(node, route);
}

// Drops those before `sequence`.
void Bus::forget_until(Route& route, uint64_t sequence, const char* why) {
  while (!route.messages.empty() && route.messages.front().sequence < sequence) {
    buffered_ -= route.messages.front().bytes.size();
    route.messages.pop_front();
    count_dropped(why);
  }
}

// It would be refused again.
void Bus::refused(Route& route, uint64_t sequence, const std::string& why) {
  const auto message = first_from(route.messages, sequence);
  if (message == route.messages.end() || message->sequence != sequence) return;
  buffered_ -= message->bytes.size();
  route.messages.erase(message);
  count_dropped(why);
}

void Bus::count_dropped(const std::string& why) {
  ++counters_.bus_dropped;
  log_.warning("a message for another node is dropped", {{"cause", why}});
}

void Bus::retry() {
  const uint64_t now = loop_.now_ms();
  for (auto& [node, route] : routes_) {
    const auto alive = std::find_if(route.messages.begin(), route.messages.end(),
                                    [now](const Message& each) { return each.due_ms > now; });
    const uint64_t sequence = alive == route.messages.end() ? route.next_sequence : alive->sequence;
    forget_until(route, sequence, "the node does not listen, or Redis is away");
    // One round at a time, so that they cannot overtake each other.
    if (route.stopped && route.answers_due == 0) {
      route.stopped = false;
      route.next_to_publish = 0;
    }
    publish_more(node, route);
  }
}

void Bus::on_connection(bool connected) {
  if (!connected) {
    probe_.stop();
    return;
  }
  // The master that we listen to may hang, without a word that there is another one.
  const bool elsewhere =
      subscription_.host() != redis_.host() || subscription_.port() != redis_.port();
  if (elsewhere && !options_.redis_sentinels.empty()) {
    subscription_.restart("there is another master");
  }
  for (auto& [node, route] : routes_) route.doubtful = true;
  retry();
}

void Bus::check() {
  const uint64_t now = loop_.now_ms();
  std::erase_if(routes_, [&](const auto& each) {
    const Route& route = each.second;
    return route.messages.empty() && route.answers_due == 0 && route.used_ms + kForgetRouteMs < now;
  });
  std::erase_if(arrivals_,
                [&](const auto& each) { return each.second.heard_ms + kForgetSenderMs < now; });
  if (!subscription_.ready() || probe_.active()) return;
  // As long for the PUBLISH as for what it says: a Redis that hangs is noticed by the former.
  probe_.start(2 * static_cast<uint64_t>(options_.redis_command_timeout));
  Envelope probe;
  probe.sender = id_;
  redis_.command({"PUBLISH", node_channel(id_), encode(probe)}, [this](const Reply& reply) {
    // Without an answer it is not the subscription that is at fault.
    if (reply.type != Reply::Type::kInteger) probe_.stop();
  });
}

// Receiving

void Bus::on_message(std::string_view bytes) {
  inbox_->take();  // passed before this was published
  Envelope envelope;
  const DecodeResult result = decode(bytes, envelope);
  const bool numbered = !envelope.sender.empty() && envelope.sequence != 0;
  if (result != DecodeResult::kMalformed && numbered && !in_sequence(envelope)) return;
  if (result != DecodeResult::kOk) {
    ++counters_.bus_not_understood;
    return;
  }
  if (envelope.kind == EnvelopeKind::kProbe) {
    probe_.stop();
    return;
  }
  ++counters_.bus_received;
  loop_.guard([&] { listener_.on_envelope(envelope); });
}

void Bus::on_passed(std::string_view bytes) {
  loop_.guard([&] {
    Envelope envelope;
    if (decode(bytes, envelope) != DecodeResult::kOk) return;  // of a sibling: of this version
    ++counters_.bus_received;
    listener_.on_envelope(envelope);
  });
}

// False when it has been here before.
bool Bus::in_sequence(const Envelope& envelope) {
  Arrivals& arrivals = arrivals_[std::string(envelope.sender)];
  arrivals.heard_ms = loop_.now_ms();
  if (arrivals.route != envelope.route) arrivals = {envelope.route, 0, arrivals.heard_ms};
  if (envelope.sequence <= arrivals.sequence) return false;
  const uint64_t missed = envelope.sequence - arrivals.sequence - 1;
  arrivals.sequence = envelope.sequence;
  if (missed != 0) {
    counters_.bus_missed += missed;
    listener_.on_missed();
  }
  return true;
}

}  // namespace signalbox::store
