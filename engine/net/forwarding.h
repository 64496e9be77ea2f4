// Passes a request on to another server of the group, on whose thread it is answered, and the
// answer back. On either side it is an HttpExchange like any other.
//
// Thread: forward() the loop's of the server that has the client's connection.
// Owner: the exchange there belongs to that thread; neither side keeps the other alive.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/net/http_exchange.h"
#include "engine/net/port_group.h"

namespace signalbox::net {

// Moves the request of `exchange`, which is complete, from the server `here` to that at `there`.
// The answer comes like any late one: 503 when that server goes without having answered. When the
// client goes, the exchange there is told. False, and nothing is done, when that server has left.
bool forward(const std::shared_ptr<PortGroup>& group, size_t here, size_t there,
             const std::shared_ptr<HttpExchange>& exchange);

}  // namespace signalbox::net
