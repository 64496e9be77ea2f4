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

// Where of the nodes of a cluster a client connects: of a pair the second to the second.
enum class Node : uint8_t { kFirst, kSecond };

class World {
 public:
  // `peer_port` is that of Node::kSecond.
  World(uint16_t port, uint16_t peer_port, bool tls, uint64_t seed)
      : port_(port),
        peer_port_(peer_port),
        tls_(tls),
        random_(seed | 1),
        prefix_(std::to_string(seed % 1000000)),
        addresses_(random()) {}

  Reactor reactor;

  // Whether the second node is another one.
  bool apart() const { return port_ != peer_port_; }

  // Each from the next of 127.1.0.1 to 127.1.0.250.
  Route route(Node node = Node::kFirst) {
    Route route;
    route.tls = tls_;
    route.server.sin_family = AF_INET;
    route.server.sin_port = htons(node == Node::kFirst ? port_ : peer_port_);
    route.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
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
  const uint16_t port_;
  const uint16_t peer_port_;
  const bool tls_;
  uint64_t random_;
  std::string prefix_;
  uint32_t source_ = 0;
  uint32_t addresses_;  // not from the same one in each process
  uint64_t rooms_ = 0;
};

}  // namespace bench
