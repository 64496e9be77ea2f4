#include "engine/signaling/members.h"

#include <algorithm>

#include "engine/signaling/room_packets.h"
#include "engine/store/envelope.h"

namespace signalbox::signaling {

void Members::bind(socketio::Socket& socket, const std::string& room) {
  Member& bound = member(socket);
  if (bound.room == room) return;
  unbind(socket);
  bound.room = room;
  rooms_.add(room, socket);
}

void Members::unbind(socketio::Socket& socket) {
  Member& bound = member(socket);
  rooms_.remove(bound.room, socket);
  if (!rooms_.has(bound.room)) {
    if (const auto found = elsewhere_.find(bound.room); found != elsewhere_.end()) {
      elsewhere_.erase(found);
    }
  }
  bound.room.clear();
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

const std::vector<std::string>& Members::elsewhere(std::string_view room) const {
  static const std::vector<std::string> kNone;
  const auto found = elsewhere_.find(room);
  return found != elsewhere_.end() ? found->second : kNone;
}

bool Members::is_elsewhere(std::string_view room, std::string_view socket) const {
  const auto& known = elsewhere(room);
  return std::find(known.begin(), known.end(), socket) != known.end();
}

bool Members::add_elsewhere(const std::string& room, std::string_view socket) {
  if (!rooms_.has(room) || is_elsewhere(room, socket)) return false;
  elsewhere_[room].emplace_back(socket);
  return true;
}

bool Members::remove_elsewhere(std::string_view room, std::string_view socket) {
  const auto found = elsewhere_.find(room);
  if (found == elsewhere_.end() || std::erase(found->second, socket) == 0) return false;
  if (found->second.empty()) elsewhere_.erase(found);
  return true;
}

std::vector<std::string_view> Members::nodes(std::string_view room) const {
  return nodes_of(elsewhere(room));
}

std::vector<std::string_view> nodes_of(std::span<const std::string> sockets) {
  std::vector<std::string_view> nodes;
  for (const std::string& socket : sockets) {
    const std::string_view node = store::node_of(socket);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

}  // namespace signalbox::signaling
