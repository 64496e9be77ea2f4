// What an accepted connection counts for, from its acceptance to its end: of the group's
// connections, of those that still owe their first request, of its client's address, and as a
// server's burden. All of it ends with this.
//
// Thread: handed from one to another.
// Owner: the Arrival, later the Connection; and the TlsRelay, which may have bytes for the client
//   when these have gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "engine/net/client_address.h"
#include "engine/net/port_group.h"
#include "engine/net/waiting_line.h"

namespace signalbox::net {

class TlsRelay;

class Presence {
 public:
  // Takes over the count of PortGroup::add_connection().
  Presence(std::shared_ptr<PortGroup> group, const Address& peer);
  ~Presence();
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  // Who is at the other end: the peer of the socket, or whom a PROXY header has named since.
  const Address& peer() const { return peer_; }
  void set_peer(const Address& peer) { peer_ = peer; }

  // Counts for `client`, unless that has `limit` already (0: no limit), and for nobody else then.
  bool count_for(const Address& client, size_t limit);
  void count_for_nobody();

  // The server at `place` is to have it: it counts as a burden of that one.
  void assign(size_t place);

  // Until request_is_whole() it owes its first request, and waits in that line, behind the others;
  // in none while it passes from one server to another.
  void wait_in(WaitingLine& line);
  void leave_line();
  // How whoever has the connection ends it for a newcomer.
  void set_end(std::function<void()> end) { end_ = std::move(end); }
  // Leaves the line, and has it ended. It may be gone then.
  void make_room();
  // A first request is there, with its body. Or none is waited for any more.
  void request_is_whole();

 private:
  const std::shared_ptr<PortGroup> group_;
  Address peer_;
  std::optional<Address> counted_;
  std::optional<size_t> place_;
  bool owes_request_ = true;
  WaitingLine* line_ = nullptr;
  WaitingLine::Spot spot_;
  std::function<void()> end_;
};

// What is known of the beginning of a connection that nobody has read yet: so many bytes of it are
// so many requests that may be read.
struct Clearance {
  uint64_t bytes = 0;
  size_t requests = 0;
};

// An accepted connection that no server serves yet. It ends when this goes.
class Arrival {
 public:
  // Takes over the descriptor.
  Arrival(std::shared_ptr<Presence> who, int fd) : presence_(std::move(who)), fd_(fd) {}
  ~Arrival();
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  int fd() const { return fd_; }
  Presence& presence() { return *presence_; }
  const std::shared_ptr<Presence>& shared_presence() { return presence_; }
  Clearance clearance;
  std::shared_ptr<TlsRelay> relay;  // where it was decrypted; null without TLS
  // It is served: both are the server's.
  int release() { return std::exchange(fd_, -1); }
  std::shared_ptr<Presence> take_presence() { return std::move(presence_); }

 private:
  std::shared_ptr<Presence> presence_;
  int fd_;
};

}  // namespace signalbox::net
