// The connections of a server that owe their first request, who has waited longest in front: of
// these one ends for each newcomer when there are as many as there may be. So it is those who send
// slowly, or nothing, who go, and not who comes.
//
// Thread: the server's.
// Owner: the server. A Presence leaves by itself, also when it ends.
#pragma once

#include <cstddef>
#include <list>

#include "engine/net/port_group.h"

namespace signalbox::net {

class Presence;

class WaitingLine {
 public:
  using Spot = std::list<Presence*>::iterator;

  // Counts who waits for the group, as waiting at that place; the group outlives this.
  WaitingLine(PortGroup& group, size_t place) : group_(group), place_(place) {}
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

  // Behind the others.
  Spot join(Presence& presence);
  void leave(Spot spot);
  // Has the first leave, and whoever has its connection end that, unless the request is here now.
  // False when nobody waits.
  bool end_first();

 private:
  PortGroup& group_;
  const size_t place_;
  std::list<Presence*> waiting_;
};

}  // namespace signalbox::net
