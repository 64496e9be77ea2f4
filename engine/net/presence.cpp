#include "engine/net/presence.h"

#include <unistd.h>

namespace signalbox::net {

Presence::Presence(std::shared_ptr<PortGroup> group, const Address& peer)
    : group_(std::move(group)), peer_(peer) {}

Presence::~Presence() {
  leave_line();
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

void Presence::wait_in(WaitingLine& line) {
  leave_line();
  if (!owes_request_) return;
  spot_ = line.join(*this);
  line_ = &line;
}

void Presence::leave_line() {
  if (line_ != nullptr) std::exchange(line_, nullptr)->leave(spot_);
}

void Presence::make_room() {
  leave_line();
  const auto end = end_;  // outlives what it ends
  end();
}

void Presence::request_is_whole() {
  leave_line();
  owes_request_ = false;
}

Arrival::~Arrival() {
  if (presence_) presence_->request_is_whole();
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace signalbox::net
