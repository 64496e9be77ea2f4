#include "engine/store/bus.h"

#include <utility>
#include <vector>

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

uint32_t new_route_id() {
  uint32_t id = 0;
  for (const char c : random_id(sizeof(id))) id = id << 8U | static_cast<unsigned char>(c);
  return id;
}

}  // namespace

Bus::Bus(Loop& loop, const Log& log, const Options& options, Counters& counters, Commands& redis,
         Listener& listener)
    : loop_(loop),
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
          }) {}

void Bus::open(const std::string& id) {
  const bool first = id_.empty();
  if (!first) subscription_.unsubscribe(node_channel(id_));
  id_ = id;
  subscription_.subscribe(node_channel(id));
  if (!first) return;
  subscription_.set_choose(
      [this](std::string& host, int& port) { redis_.choose_node(host, port); });
  subscription_.connect();
}

size_t Bus::waiting() const {
  size_t count = 0;
  for (const auto& [node, route] : routes_) count += route.unheard ? 0 : route.messages.size();
  return count;
}

// Sending

void Bus::send(std::string_view node, Envelope envelope) {
  const auto [found, is_new] = routes_.try_emplace(std::string(node));
  auto& [name, route] = *found;
  if (is_new) route.id = new_route_id();
  envelope.sender = id_;
  envelope.route = route.id;
  envelope.sequence = route.next_sequence;
  std::string bytes = encode(envelope);
  if (buffered_ + bytes.size() > static_cast<size_t>(options_.node_max_buffered)) {
    ++counters_.bus_dropped;
    return;
  }
  ++route.next_sequence;
  buffered_ += bytes.size();
  route.used_ms = loop_.now_ms();
  route.messages.push_back({envelope.sequence, std::move(bytes),
                            loop_.now_ms() + static_cast<uint64_t>(options_.node_ttl)});
  const size_t count = route.messages.size();
  const bool next = count == 1 || route.messages[count - 2].sent;
  if (next && !route.unheard && redis_.connected())
    publish_next(name, route, route.messages.back());
  if (!retry_.active() && !route.messages.back().sent) retry_.start(kRetryMs);
}

void Bus::publish(const std::string& channel, Envelope envelope) {
  envelope.sender = id_;
  redis_.command({"PUBLISH", channel, encode(envelope)}, [this](const Reply& reply) {
    if (reply.type == Reply::Type::kInteger) {
      ++counters_.bus_sent;
    } else {
      ++counters_.bus_dropped;
    }
  });
}

// Sends what has not been sent, in order, for answers come in order too. To a node that does not
// listen only the first, to see whether it does now.
void Bus::flush(const std::string& node, Route& route) {
  if (!redis_.connected()) return;
  for (Message& message : route.messages) {
    if (!message.sent) publish_next(node, route, message);
    if (route.unheard) return;
  }
}

void Bus::publish_next(const std::string& node, Route& route, Message& message) {
  message.sent = true;
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
  // Those before it that nobody has heard would come out of order now.
  // A cluster counts only those who listen at the master that we asked, and passes it on to others.
  const bool heard =
      reply.type == Reply::Type::kInteger && (reply.integer > 0 || options_.redis_cluster);
  while (heard && !route.messages.empty() && route.messages.front().sequence < sequence) {
    ++counters_.bus_dropped;
    drop_front(route);
  }
  if (route.messages.empty() || route.messages.front().sequence > sequence) return;  // given up
  if (heard) {
    ++counters_.bus_sent;
    drop_front(route);
    if (std::exchange(route.unheard, false)) flush(node, route);
    return;
  }
  if (reply.type == Reply::Type::kError) {  // it will be refused again
    for (auto message = route.messages.begin(); message != route.messages.end(); ++message) {
      if (message->sequence != sequence) continue;
      ++counters_.bus_dropped;
      buffered_ -= message->bytes.size();
      route.messages.erase(message);
      return;
    }
  }
  // Not reached, or not known to be: again from here. What the other one has had it knows by its
  // number.
  if (reply.type == Reply::Type::kInteger) route.unheard = true;
  for (Message& message : route.messages) {
    if (message.sequence == sequence) message.sent = false;
  }
  if (!retry_.active()) retry_.start(kRetryMs);
}

void Bus::drop_front(Route& route) {
  buffered_ -= route.messages.front().bytes.size();
  route.messages.pop_front();
}

void Bus::retry() {
  bool again = false;
  for (auto& [node, route] : routes_) {
    while (!route.messages.empty() && route.messages.front().due_ms <= loop_.now_ms()) {
      ++counters_.bus_dropped;
      drop_front(route);
    }
    // One round at a time, so that they cannot overtake each other.
    if (route.answers_due == 0) flush(node, route);
    again = again || !route.messages.empty();
  }
  if (again) retry_.start(kRetryMs);
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
