#include "engine/signaling/elsewhere.h"

#include <algorithm>

#include "engine/store/envelope.h"

namespace signalbox::signaling {

void Elsewhere::close(std::string_view room) {
  if (const auto found = rooms_.find(room); found != rooms_.end()) rooms_.erase(found);
}

void Elsewhere::answered(std::string_view room, uint64_t stamp) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  // What was before this node had anybody in the room is told to others.
  if (found->second.answered == 0) found->second.settled = stamp;
  found->second.answered = stamp;
}

void Elsewhere::settle(std::string_view room, uint64_t stamp) {
  const auto found = rooms_.find(room);
  if (found != rooms_.end()) found->second.settled = std::max(found->second.settled, stamp);
}

bool Elsewhere::is_settled(std::string_view room, uint64_t stamp) const {
  const auto found = rooms_.find(room);
  return found == rooms_.end() || stamp <= found->second.settled;
}

bool Elsewhere::learn(std::string_view room, std::string_view socket, uint64_t stamp) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return false;
  std::vector<Peer>& peers = found->second.peers;
  const auto known = std::ranges::find(peers, socket, &Peer::socket);
  if (known != peers.end()) {
    known->stamp = stamp;
    return false;
  }
  peers.push_back({std::string(socket), stamp});
  return true;
}

bool Elsewhere::forget(std::string_view room, std::string_view socket) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return false;
  const auto is_socket = [&](const Peer& peer) { return peer.socket == socket; };
  return std::erase_if(found->second.peers, is_socket) != 0;
}

bool Elsewhere::knows(std::string_view room, std::string_view socket) const {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return false;
  return std::ranges::find(found->second.peers, socket, &Peer::socket) != found->second.peers.end();
}

bool Elsewhere::is_late(std::string_view room, std::string_view socket, uint64_t stamp) const {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return false;
  const auto& [answered, settled, peers] = found->second;
  const auto known = std::ranges::find(peers, socket, &Peer::socket);
  return stamp < (known != peers.end() ? known->stamp : answered);
}

std::vector<std::string_view> Elsewhere::in(std::string_view room) const {
  std::vector<std::string_view> sockets;
  if (const auto found = rooms_.find(room); found != rooms_.end()) {
    for (const Peer& peer : found->second.peers) sockets.push_back(peer.socket);
  }
  return sockets;
}

std::vector<std::string_view> Elsewhere::nodes(std::string_view room) const {
  return nodes_of(in(room));
}

std::vector<std::string_view> nodes_of(std::span<const std::string_view> sockets) {
  std::vector<std::string_view> nodes;
  for (const std::string_view socket : sockets) {
    const std::string_view node = store::node_of(socket);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

}  // namespace signalbox::signaling
