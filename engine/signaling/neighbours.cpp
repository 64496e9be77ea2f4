#include "engine/signaling/neighbours.h"

#include <algorithm>
#include <utility>

namespace signalbox::signaling {
namespace {

using socketio::Socket;
using store::Envelope;
using store::EnvelopeKind;

std::vector<std::string_view> views(std::span<const std::string> texts) {
  return {texts.begin(), texts.end()};
}

std::vector<std::string> owned(std::span<const std::string_view> texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

Neighbours::Neighbours(Loop& loop, Log& log, const Options& options, Counters& counters,
                       store::Commands& redis, std::shared_ptr<store::Siblings> siblings,
                       Members& members)
    : counters_(counters),
      redis_(redis),
      members_(members),
      registry_(loop, log, options, redis, *this),
      rooms_(store::make_rooms(redis, options, registry_)),
      bus_(loop, log, options, counters, redis, std::move(siblings), *this),
      cleaner_(log, counters, redis, registry_, *rooms_),
      reconciler_(loop, options, counters, redis, registry_, *rooms_, *this),
      held_news_(options,
                 [this, &loop](const Envelope& envelope) { loop.guard([&] { take(envelope); }); }),
      early_(loop, options,
             {.is_due =
                  [this](const Envelope& envelope) {
                    return members_.elsewhere().is_settled(envelope.room, envelope.stamp);
                  },
              .deliver = [this](const Envelope& envelope) { take_behind_news(envelope); },
              .give_up =
                  [this](const Envelope& envelope) {
                    members_.elsewhere().settle(envelope.room, envelope.stamp);
                  }}) {
  redis_.set_on_state([this, &loop](bool connected) {
    if (!connected) cleaner_.give_up();
    loop.guard([&] { registry_.on_connection(connected); });
    bus_.on_connection(connected);
  });
}

void Neighbours::open() {
  redis_.connect();
  bus_.open(registry_.id());
}

void Neighbours::leave() {
  cleaner_.give_up();
  registry_.unregister();
}

void Neighbours::on_registered() {
  reconciler_.on_registered();
}

void Neighbours::on_renamed() {
  bus_.open(registry_.id());
  if (listener_.renamed) listener_.renamed(registry_.id());
}

// Sending

void Neighbours::relay(const Socket& from, std::string_view to, std::string_view packet,
                       std::span<const std::string> attachments) {
  Envelope envelope;
  envelope.kind = EnvelopeKind::kRelay;
  envelope.scope = from.id();
  envelope.room = member(from).room;
  envelope.socket = to;
  envelope.packet = packet;
  envelope.attachments = views(attachments);
  envelope.stamp = member(from).joined_at;
  bus_.send(store::node_of(to), std::move(envelope));
}

void Neighbours::send_to_room(const std::string& room, std::string_view packet,
                              std::string_view except, std::span<const std::string> attachments) {
  Envelope envelope;
  envelope.kind = EnvelopeKind::kRoomEvent;
  envelope.sender = id();  // it may be encoded below
  envelope.room = room;
  envelope.socket = except;
  envelope.packet = packet;
  envelope.attachments = views(attachments);
  const Socket* from = members_.nsp().find(except);
  if (from != nullptr && member(*from).room == room) {
    envelope.scope = from->id();
    envelope.stamp = member(*from).joined_at;
  }
  if (!members_.in(room).empty()) {
    for (const std::string_view node : members_.elsewhere().nodes(room)) {
      bus_.send(node, envelope);
    }
    return;
  }
  // A host may speak to a room of which no socket is here, and which this node knows nothing about.
  rooms_->members(room, [this, bytes = store::encode(envelope)](const auto& members) {
    Envelope copy;
    store::decode(bytes, copy);
    for (const std::string_view node : nodes_of(views(members))) {
      if (node != registry_.id()) bus_.send(node, copy);
    }
  });
}

// Receiving

void Neighbours::on_envelope(const Envelope& envelope) {
  switch (envelope.kind) {
    case EnvelopeKind::kRelay:
    case EnvelopeKind::kRoomEvent:
    case EnvelopeKind::kJoined:
    case EnvelopeKind::kRejoined:
    case EnvelopeKind::kLeft:
    case EnvelopeKind::kEvicted:
      if (!held_news_.take(envelope)) on_too_many();
      return;
    case EnvelopeKind::kProbe:
    case EnvelopeKind::kEmit:
    case EnvelopeKind::kNamespaceEvent:
      if (listener_.other) listener_.other(envelope);
      return;
  }
}

void Neighbours::on_too_many() {
  ++counters_.bus_missed;
  reconciler_.check();
}

void Neighbours::take(const Envelope& envelope) {
  if (envelope.kind == EnvelopeKind::kRelay || envelope.kind == EnvelopeKind::kRoomEvent) {
    if (!early_.take(envelope)) on_too_many();
    return;
  }
  try {
    // News of a room come in the order of their stamps: none before this is still to come.
    members_.elsewhere().settle(envelope.room, envelope.stamp);
    take_news(envelope);
    early_.on_news(envelope.room);
  } catch (...) {  // memory has run out: Redis still knows
    reconciler_.check();
    throw;
  }
}

void Neighbours::take_behind_news(const Envelope& envelope) {
  return envelope.kind == EnvelopeKind::kRelay ? take_relay(envelope) : take_event(envelope);
}

// Somebody who speaks, and of whom we have missed that it is there: without this the room would not
// be told when it goes. Or it has gone already, and this comes late: the check finds that out.
void Neighbours::learn_missed(const Envelope& envelope) {
  // As a rule it is known: that is asked first.
  if (envelope.scope.empty() || members_.elsewhere().knows(envelope.room, envelope.scope) ||
      members_.in(envelope.room).empty()) {
    return;
  }
  members_.elsewhere().learn(envelope.room, envelope.scope, 0);
  members_.send_ready(envelope.room, envelope.scope, nullptr);
  reconciler_.check();
}

void Neighbours::take_relay(const Envelope& envelope) {
  Socket* socket = members_.nsp().find(envelope.socket);
  if (socket == nullptr || member(*socket).room != envelope.room) {
    ++counters_.events_dropped_stranger;
    return;
  }
  learn_missed(envelope);
  if (members_.nsp().find(envelope.socket) != socket) return;  // it read too slowly
  socket->send(envelope.packet, owned(envelope.attachments));
}

void Neighbours::take_event(const Envelope& envelope) {
  learn_missed(envelope);
  members_.send(envelope.room, envelope.packet, members_.nsp().find(envelope.socket),
                owned(envelope.attachments));
}

// Of who is in a room. Each message may come again, or late (elsewhere.h), or tell what is known.
void Neighbours::take_news(const Envelope& envelope) {
  if (store::node_of(envelope.socket) != registry_.id()) {
    const bool left =
        envelope.kind == EnvelopeKind::kLeft || envelope.kind == EnvelopeKind::kEvicted;
    return left ? take_left(envelope) : take_joined(envelope);
  }
  const store::Binding own = {std::string(envelope.room), std::string(envelope.socket)};
  if (envelope.kind != EnvelopeKind::kEvicted || !is_bound(own)) return;
  listener_.evicted(own.room, own.socket);
  // It may have been bound again since: what everyone has been told must be so.
  rooms_->leave(own.room, own.socket, {}, [](const store::LeaveReply&) {});
}

void Neighbours::take_joined(const Envelope& envelope) {
  const std::string_view room = envelope.room;
  const std::string_view socket = envelope.socket;
  Elsewhere& elsewhere = members_.elsewhere();
  if (!elsewhere.knows(room, socket)) {
    // A later answer did not list it: it has left since.
    if (elsewhere.is_late(room, socket, envelope.stamp)) return reconciler_.check();
    elsewhere.learn(room, socket, envelope.stamp);
  } else if (envelope.kind == EnvelopeKind::kJoined) {
    return;
  }
  members_.send_ready(room, socket, nullptr);
}

void Neighbours::take_left(const Envelope& envelope) {
  const std::string_view room = envelope.room;
  const std::string_view socket = envelope.socket;
  Elsewhere& elsewhere = members_.elsewhere();
  if (!elsewhere.knows(room, socket)) return;
  const bool is_back = elsewhere.is_late(room, socket, envelope.stamp);
  if (!is_back) elsewhere.forget(room, socket);
  members_.send_disconnected(room, socket);
  if (!is_back) return;
  members_.send_ready(room, socket, nullptr);
  reconciler_.check();
}

// Keeping right

std::vector<store::Binding> Neighbours::bindings() {
  std::vector<store::Binding> bindings;
  for (const Socket* socket : members_.nsp().sockets()) {
    const std::string& room = member(*socket).room;
    if (!room.empty()) bindings.push_back({room, socket->id()});
  }
  return bindings;
}

bool Neighbours::is_bound(const store::Binding& binding) {
  const Socket* socket = members_.nsp().find(binding.socket);
  return socket != nullptr && member(*socket).room == binding.room;
}

bool Neighbours::may_be_bound(const store::Binding& binding) {
  const Socket* socket = members_.nsp().find(binding.socket);
  if (socket == nullptr) return false;
  const Member& self = member(*socket);
  return self.room == binding.room ||
         (!self.joins.empty() && self.joins.front().room == binding.room);
}

void Neighbours::on_asking(const std::vector<store::Binding>& bindings) {
  for (const auto& [room, socket] : bindings) asked_.emplace_back(room, held_news_.expect(room));
}

void Neighbours::learn(const std::string& room, const std::vector<std::string>& members,
                       uint64_t stamp, const Socket* except) {
  members_.elsewhere().answered(room, stamp);
  for (const std::string& id : members) {
    const bool own = store::node_of(id) == registry_.id();
    if (own || !members_.elsewhere().learn(room, id, stamp)) continue;
    members_.send_ready(room, id, except);
  }
}

void Neighbours::on_members(const std::string& room, const std::vector<std::string>& members,
                            uint64_t stamp, bool final) {
  learn(room, members, stamp, nullptr);
  if (!final) return;
  members_.elsewhere().settle(room, stamp);
  for (const std::string& id : owned(members_.elsewhere().in(room))) {
    if (std::find(members.begin(), members.end(), id) != members.end()) continue;
    if (members_.elsewhere().forget(room, id)) members_.send_disconnected(room, id);
  }
  early_.on_news(room);
}

void Neighbours::on_asked() {
  for (const auto& [room, question] : std::exchange(asked_, {})) {
    held_news_.arrived(room, question);
  }
}

}  // namespace signalbox::signaling
