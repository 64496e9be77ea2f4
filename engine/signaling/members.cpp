#include "engine/signaling/members.h"

#include <utility>

#include "engine/signaling/room_packets.h"

namespace signalbox::signaling {

void Members::bind(socketio::Socket& socket, const std::string& room) {
  Member& bound = member(socket);
  if (bound.room == room) return;
  unbind(socket);
  std::string name = room;
  rooms_.add(room, socket);
  counters_.rooms.set(rooms_.size());
  bound.room = std::move(name);
  elsewhere_.open(room);
}

std::string Members::unbind(socketio::Socket& socket) {
  std::string room = std::exchange(member(socket).room, {});
  rooms_.remove(room, socket);
  counters_.rooms.set(rooms_.size());
  if (!rooms_.has(room)) elsewhere_.close(room);
  return room;
}

void Members::send(std::string_view room, std::string_view packet, const socketio::Socket* except,
                   std::span<const std::string> attachments) const {
  nsp_->send_to(rooms_.in(room), except, packet, attachments);
}

void Members::send_ready(std::string_view room, std::string_view socket,
                         const socketio::Socket* except) const {
  send(room, ready_packet(socket), except);
}

void Members::send_disconnected(std::string_view room, std::string_view socket) const {
  send(room, peer_disconnected_packet(socket), nullptr);
}

}  // namespace signalbox::signaling
