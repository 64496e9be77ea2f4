#include "engine/net/presence.h"

#include <unistd.h>

namespace signalbox::net {

Presence::Presence(std::shared_ptr<PortGroup> group, const Address& peer)
    : group_(std::move(group)), peer_(peer) {}

Presence::~Presence() {
  request_is_whole();
  count_for_nobody();
  if (place_) group_->remove_burden(*place_);
  group_->remove_connection();
}

bool Presence::count_for(const Address& client, size_t limit) {
  if (counted_ == client) return true;
  count_for_nobody();
  if (!group_->addresses().add(client, limit)) return false;
  counted_ = client;
  return true;
}

void Presence::count_for_nobody() {
  if (counted_) group_->addresses().remove(*counted_);
  counted_.reset();
}

void Presence::assign(size_t place) {
  if (place_) group_->remove_burden(*place_);
  place_ = place;
  group_->add_burden(place);
}

void Presence::request_is_whole() {
  if (std::exchange(owes_request_, false)) group_->remove_handshake();
}

Arrival::~Arrival() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace signalbox::net
