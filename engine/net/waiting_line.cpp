#include "engine/net/waiting_line.h"

#include "engine/net/presence.h"

namespace signalbox::net {

WaitingLine::Spot WaitingLine::join(Presence& presence) {
  const Spot spot = waiting_.insert(waiting_.end(), &presence);
  group_.add_waiting(place_);
  return spot;
}

void WaitingLine::leave(Spot spot) {
  waiting_.erase(spot);
  group_.remove_waiting(place_);
}

bool WaitingLine::end_first() {
  if (waiting_.empty()) return false;
  waiting_.front()->make_room();
  return true;
}

}  // namespace signalbox::net
