// A socket that listens: bound once, accepted from by one listener or, where servers share a port,
// by several.
//
// Thread: any; nothing in it changes.
// Owner: shared by those who accept from it; the last one closes it.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/core/options.h"
#include "engine/core/status.h"

namespace signalbox::net {

class ListeningSocket {
 public:
  // Binds and listens, or takes the socket of option listen.fd, of which the caller keeps his
  // descriptor. "::" serves IPv4 too, and falls back to 0.0.0.0 where there is no IPv6. Port 0
  // takes a free one. kAddress, with a text for a person, when that cannot be; kInvalid when
  // listen.fd is no TCP socket that listens, kSystem when the system refuses a descriptor.
  static Status open(const Options& options, std::shared_ptr<const ListeningSocket>& opened);

  // Takes over a descriptor that listens.
  explicit ListeningSocket(int fd);
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  int fd() const { return fd_; }
  uint16_t port() const { return port_; }

 private:
  const int fd_;
  uint16_t port_;
};

}  // namespace signalbox::net
