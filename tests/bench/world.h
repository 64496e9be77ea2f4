// What all clients of a run share: where the server is, chance, and addresses to come from.
//
// Thread: the only one.
// Owner: main().
#pragma once

#include <arpa/inet.h>

#include <cstdint>
#include <string>

#include "tests/bench/connection.h"
#include "tests/bench/reactor.h"

namespace bench {

class World {
 public:
  World(uint16_t port, uint64_t seed) : random_(seed | 1), prefix_(std::to_string(seed % 1000000)) {
    route_.server.sin_family = AF_INET;
    route_.server.sin_port = htons(port);
    route_.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }

  Reactor reactor;

  // Each from the next of 127.1.0.1 to 127.1.0.250.
  Route route() {
    Route route = route_;
    source_ = source_ % 250 + 1;
    route.source.s_addr = htonl(0x7f010000 + source_);
    return route;
  }

  // A client's address as a proxy tells it, another one each time.
  std::string address() {
    addresses_ = (addresses_ + 1) & 0xffffff;
    return "10." + std::to_string(addresses_ >> 16) + "." + std::to_string(addresses_ >> 8 & 0xff) +
           "." + std::to_string(addresses_ & 0xff);
  }

  // A name that no room had before.
  std::string room() { return "bench-" + prefix_ + "-" + std::to_string(++rooms_); }

  uint32_t random() {  // xorshift
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return static_cast<uint32_t>(random_ >> 32);
  }
  uint32_t below(uint32_t limit) { return random() % limit; }

 private:
  Route route_;
  uint64_t random_;
  std::string prefix_;
  uint32_t source_ = 0;
  uint32_t addresses_ = 0;
  uint64_t rooms_ = 0;
};

}  // namespace bench
