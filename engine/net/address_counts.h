// How many each client address has of something, for limits. Addresses are counted by the network
// that one client commands: an IPv4 address itself, of an IPv6 address its /64.
//
// Thread: any; a lock is taken for each call.
// Owner: the port group, since servers that share a port have one limit. It holds no more addresses
//   than are counted.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "engine/net/client_address.h"

namespace signalbox::net {

class AddressCounts {
 public:
  // Counts one more, unless there are `limit` (0: no limit).
  bool add(const Address& address, size_t limit);
  void remove(const Address& address);
  size_t count(const Address& address);

 private:
  std::mutex mutex_;
  // Ordered, not hashed: with IPv6 it is the clients who choose the keys.
  std::map<Address, size_t> counts_;
};

}  // namespace signalbox::net
