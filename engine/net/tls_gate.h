// Where TLS ends: takes connections whose clients are about to speak TLS, and gives on what serves
// them as connections without it (see TlsRelay).
//
// Thread: the loop's.
// Owner: the server. The relays are the gate's, but for those that it lets go.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/deadline_queue.h"
#include "engine/core/loop.h"
#include "engine/net/presence.h"
#include "engine/net/tls_context.h"
#include "engine/net/tls_relay.h"

namespace signalbox::net {

class TlsGate {
 public:
  // `opened` gets each connection whose handshake is done; one where that takes longer than
  // `patience_ms` ends. Throws std::runtime_error when the system refuses a descriptor.
  TlsGate(Loop& loop, uint64_t patience_ms, TlsContext context, Counters& counters,
          std::function<void(std::shared_ptr<Arrival> arrival)> opened);
  ~TlsGate();
  TlsGate(const TlsGate&) = delete;
  TlsGate& operator=(const TlsGate&) = delete;

  // For handshakes that begin from now on.
  void replace_context(TlsContext context) { context_ = std::move(context); }

  // False, and the connection ends, when the system refuses.
  bool add(std::shared_ptr<Arrival> arrival);

  // Reads and writes what it can now, without waiting for the loop to tell of it.
  void catch_up(const TlsRelay& relay);

  // Hands a relay to the gate of another server: that one takes what this one has let go.
  void let_go(TlsRelay& relay);
  void take(std::shared_ptr<TlsRelay> relay);

  // Ends all; what their servers have sent before goes out.
  void close();

 private:
  // One of the two descriptors of a relay.
  struct Place;
  struct Side {
    Place* place;
    bool of_client;
    uint32_t events = 0;  // that the epoll set watches for
    bool watched = false;
  };
  struct Place {
    explicit Place(std::shared_ptr<TlsRelay> which) : relay(std::move(which)), deadline(this) {}
    std::shared_ptr<TlsRelay> relay;
    std::shared_ptr<Arrival> arrival;  // until the handshake is done
    Side client{this, true};
    Side inner{this, false};
    Deadline deadline;
    bool gone = false;
  };

  void ready();
  void heed(const Side& side, uint32_t events);
  void advance(Place& place, TlsRelay::Ready ready = TlsRelay::Ready::kEither);
  void late(Place& place);
  void open(Place& place);
  bool watch(Side& side, int fd, uint32_t events);
  void end(Place& place);
  void remove(Place& place);

  std::function<void(std::shared_ptr<Arrival>)> opened_;
  TlsContext context_;
  Counters& counters_;
  int epoll_;
  std::unique_ptr<Poll> poll_;
  DeadlineQueue handshakes_;
  DeadlineQueue farewells_;
  std::unordered_map<const TlsRelay*, std::unique_ptr<Place>> places_;
  std::vector<std::unique_ptr<Place>> removed_;  // while events of theirs may be at hand
};

}  // namespace signalbox::net
