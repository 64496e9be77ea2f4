// The header with which a load balancer begins a connection to tell whose it is: the PROXY
// protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt).
//
// Thread: a function without state.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/net/client_address.h"

namespace signalbox::net {

struct ProxyHeader {
  enum class State { kMore, kWhole, kInvalid };
  State state = State::kMore;
  size_t size = 0;  // in bytes, once it is whole
  // The client. Nothing: the connection is the balancer's own (LOCAL), or of a kind that has no
  // address for us (UNKNOWN, UNSPEC, a unix socket); the peer of the socket counts then.
  std::optional<Address> client;

  // The longest that is accepted: what a sender can be sure to get through in one segment.
  static constexpr size_t kMostBytes = 536;
};

// Reads the header that `bytes`, the beginning of a connection, begins with.
ProxyHeader read_proxy_header(std::string_view bytes);

}  // namespace signalbox::net
