#include "engine/net/tls_gate.h"

#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace signalbox::net {
namespace {

// Time that a client has to take what its server sent before it closed.
constexpr uint64_t kFarewellMs = 5000;
// Events that are fetched at once.
constexpr int kEvents = 64;

}  // namespace

TlsGate::TlsGate(Loop& loop, uint64_t patience_ms, TlsContext context, Counters& counters,
                 std::function<void(std::shared_ptr<Arrival>)> opened)
    : opened_(std::move(opened)),
      context_(std::move(context)),
      counters_(counters),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      handshakes_(loop, patience_ms,
                  [this](void* place) {
                    late(*static_cast<Place*>(place));
                    removed_.clear();
                  }),
      farewells_(loop, kFarewellMs, [this](void* late) {
        end(*static_cast<Place*>(late));
        removed_.clear();
      }) {
  if (epoll_ < 0) throw std::runtime_error("no descriptor left for an epoll set");
  poll_ = std::make_unique<Poll>(loop, epoll_, [this](bool, bool) { ready(); });
  poll_->watch(true, false);
}

TlsGate::~TlsGate() {
  poll_.reset();
  for (auto& [key, place] : places_) place->relay->end();
  places_.clear();
  ::close(epoll_);
}

bool TlsGate::add(std::shared_ptr<Arrival> arrival) {
  TlsSession session(SSL_new(context_.get()));
  if (!session) return false;
  auto relay = std::make_shared<TlsRelay>(std::move(session), arrival->release(),
                                          arrival->shared_presence());
  const TlsRelay* key = relay.get();
  Place& place = *(places_[key] = std::make_unique<Place>(std::move(relay)));
  place.arrival = std::move(arrival);
  place.arrival->presence().set_end([this, &place] {
    ++counters_.handshakes_displaced;
    end(place);
    removed_.clear();
  });
  handshakes_.start(place.deadline);
  advance(place);  // often the client has spoken already
  removed_.clear();
  return true;
}

void TlsGate::catch_up(const TlsRelay& relay) {
  const auto found = places_.find(&relay);
  if (found != places_.end()) advance(*found->second);
  removed_.clear();
}

void TlsGate::let_go(TlsRelay& relay) {
  const auto found = places_.find(&relay);
  if (found == places_.end()) return;
  remove(*found->second);
}

void TlsGate::take(std::shared_ptr<TlsRelay> relay) {
  const TlsRelay* key = relay.get();
  Place& place = *(places_[key] = std::make_unique<Place>(std::move(relay)));
  advance(place);
}

void TlsGate::close() {
  for (auto& [key, place] : places_) {
    place->relay->finish();
    place->relay->end();
  }
  places_.clear();
}

void TlsGate::ready() {
  std::array<epoll_event, kEvents> events;
  const int count = epoll_wait(epoll_, events.data(), kEvents, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    heed(*static_cast<Side*>(event.data.ptr), event.events);
  }
  removed_.clear();
}

void TlsGate::heed(const Side& side, uint32_t events) {
  Place& place = *side.place;
  if (place.gone) return;
  if (!side.of_client && (events & EPOLLHUP) != 0) place.relay->server_left();
  advance(place, side.of_client ? TlsRelay::Ready::kClient : TlsRelay::Ready::kServer);
  // Neither direction is left: what could still be read of the client has been.
  if (side.of_client && (events & (EPOLLHUP | EPOLLERR)) != 0 && !place.gone) {
    end(place);
  }
}

void TlsGate::advance(Place& place, TlsRelay::Ready ready) {
  TlsRelay& relay = *place.relay;
  const TlsRelay::State state = relay.advance(ready);
  if (state == TlsRelay::State::kOver) {
    if (place.arrival) ++counters_.tls_handshakes_failed;
    end(place);
    return;
  }
  if (!watch(place.client, relay.client(), relay.client_events()) ||
      (relay.inner() >= 0 && !watch(place.inner, relay.inner(), relay.inner_events()))) {
    end(place);
    return;
  }
  if (relay.waits_for_client() && !place.deadline.active()) farewells_.start(place.deadline);
  if (state == TlsRelay::State::kOpen && place.arrival) open(place);
}

void TlsGate::late(Place& place) {
  advance(place);  // the rest may be here, and the loop had no time for it
  if (place.gone || !place.arrival) return;
  ++counters_.handshakes_timed_out;
  end(place);
}

void TlsGate::open(Place& place) {
  place.deadline.stop();
  const auto arrival = std::exchange(place.arrival, nullptr);
  auto decrypted =
      std::make_shared<Arrival>(arrival->take_presence(), place.relay->take_server_end());
  decrypted->relay = place.relay;
  opened_(std::move(decrypted));
}

bool TlsGate::watch(Side& side, int fd, uint32_t events) {
  if (side.watched && side.events == events) return true;
  epoll_event event{};
  event.events = events;
  event.data.ptr = &side;
  if (epoll_ctl(epoll_, side.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
    return false;
  side.watched = true;
  side.events = events;
  return true;
}

void TlsGate::end(Place& place) {
  const std::shared_ptr<TlsRelay> relay = place.relay;
  remove(place);
  relay->end();
}

void TlsGate::remove(Place& place) {
  place.gone = true;
  place.deadline.stop();
  if (place.client.watched) epoll_ctl(epoll_, EPOLL_CTL_DEL, place.relay->client(), nullptr);
  if (place.inner.watched) epoll_ctl(epoll_, EPOLL_CTL_DEL, place.relay->inner(), nullptr);
  const auto found = places_.find(place.relay.get());
  place.relay.reset();
  removed_.push_back(std::move(found->second));
  places_.erase(found);
}

}  // namespace signalbox::net
