#include "engine/host_bus.h"

#include "engine/socketio/server.h"
#include "engine/store/keys.h"

namespace signalbox {
namespace {

using store::Envelope;
using store::EnvelopeKind;

std::string channel_of(const std::string& nsp, const std::string& room) {
  return room.empty() ? store::namespace_channel(nsp) : store::room_channel(nsp, room);
}

Envelope envelope_of(EnvelopeKind kind, const host::Message& message) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.packet = message.payload;
  envelope.attachments.assign(message.attachments.begin(), message.attachments.end());
  return envelope;
}

}  // namespace

bool HostBus::may_have(std::string_view socket) const {
  return socket.size() == socketio::kSocketIdLength && store::node_of(socket) != neighbours_.id();
}

void HostBus::emit(const std::string& socket, const host::Message& message) {
  Envelope envelope = envelope_of(EnvelopeKind::kEmit, message);
  envelope.socket = socket;
  neighbours_.bus().send(store::node_of(socket), std::move(envelope));
}

void HostBus::broadcast(const std::string& nsp, const std::string& room, const std::string& except,
                        const host::Message& message) {
  Envelope envelope = envelope_of(EnvelopeKind::kNamespaceEvent, message);
  envelope.scope = nsp;
  envelope.room = room;
  envelope.socket = except;
  neighbours_.bus().publish(channel_of(nsp, room), std::move(envelope));
}

void HostBus::listen(const std::string& nsp, const std::string& room) {
  neighbours_.bus().listen(channel_of(nsp, room));
}

void HostBus::ignore(const std::string& nsp, const std::string& room) {
  neighbours_.bus().ignore(channel_of(nsp, room));
}

void HostBus::deliver(const Envelope& envelope, host::Host& host) const {
  if (envelope.sender == neighbours_.id()) return;  // who listens hears itself, too
  host::Message message;
  message.payload = envelope.packet;
  message.attachments.assign(envelope.attachments.begin(), envelope.attachments.end());
  if (envelope.kind == EnvelopeKind::kEmit) {
    host.deliver(std::string(envelope.socket), message);
  } else if (envelope.kind == EnvelopeKind::kNamespaceEvent) {
    host.deliver(std::string(envelope.scope), std::string(envelope.room),
                 std::string(envelope.socket), message);
  }
}

}  // namespace signalbox
