#include "engine/net/reception.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "engine/net/http.h"
#include "engine/net/lws_request.h"
#include "engine/net/proxy_protocol.h"

namespace signalbox::net {
namespace {

// How long one that was refused may take to read why.
constexpr uint64_t kMostLeavingMs = 1000;

}  // namespace

Reception::Reception(Loop& loop, Patience patience, const RequestHead::Limits& limits,
                     Counters& counters, Callbacks callbacks)
    : limits_(limits),
      counters_(counters),
      callbacks_(std::move(callbacks)),
      seen_(std::max(limits.bytes + 1, ProxyHeader::kMostBytes), '\0'),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      deadlines_(loop, patience.header_ms,
                 [this](void* guest) { late(*static_cast<Guest*>(guest)); }),
      idle_(loop, patience.idle_ms, [this](void* guest) { late(*static_cast<Guest*>(guest)); }),
      leaving_(loop, kMostLeavingMs, [this](void* guest) { end(*static_cast<Guest*>(guest)); }) {
  if (epoll_ < 0) throw std::runtime_error("no descriptor left for an epoll set");
  poll_ = std::make_unique<Poll>(loop, epoll_, [this](bool, bool) { ready(); });
  poll_->watch(true, false);
}

Reception::~Reception() {
  poll_.reset();
  ::close(epoll_);
}

bool Reception::add(std::shared_ptr<Arrival> arrival, bool introduces) {
  const int fd = arrival->fd();
  const TlsRelay* const relay = arrival->relay.get();
  const auto [entry, added] =
      guests_.insert_or_assign(fd, std::make_unique<Guest>(fd, std::move(arrival), nullptr, relay));
  Guest& guest = *entry->second;
  guest.introduces = introduces;
  guest.arrival->presence().set_end([this, &guest] { displace(guest); });
  deadlines_.start(guest.deadline);
  // Often the request is here already.
  if (!look_at(guest, false) || watch(guest)) return true;
  take(guest);
  return false;
}

bool Reception::hold(int fd, void* owner, const TlsRelay* relay) {
  const auto [entry, added] =
      guests_.insert_or_assign(fd, std::make_unique<Guest>(fd, nullptr, owner, relay));
  Guest& guest = *entry->second;
  guest.idle = true;
  idle_.start(guest.deadline);
  if (watch(guest)) return true;
  take(guest);
  return false;
}

void Reception::forget(int fd) {
  const auto found = guests_.find(fd);
  if (found != guests_.end()) take(*found->second);
}

void Reception::clear() {
  std::erase_if(guests_, [](const auto& entry) { return entry.second->arrival != nullptr; });
}

bool Reception::watch(Guest& guest) {
  epoll_event event{};
  // Edge-triggered: what has been looked at stays in the socket, and would be reported again.
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &guest;
  guest.watched = epoll_ctl(epoll_, EPOLL_CTL_ADD, guest.fd, &event) == 0;
  return guest.watched;
}

void Reception::ready() {
  // One at a time: looking at one may end others.
  epoll_event event{};
  while (epoll_wait(epoll_, &event, 1, 0) == 1) {
    look_at(*static_cast<Guest*>(event.data.ptr), (event.events & EPOLLRDHUP) != 0);
  }
}

void Reception::displace(Guest& guest) {
  if (!look_again(guest)) return;
  ++counters_.handshakes_displaced;
  end(guest);
}

void Reception::late(Guest& guest) {
  const bool was_idle = guest.idle;
  if (!look_again(guest) || guest.refused) return;
  if (was_idle && !guest.idle) return;  // it has just begun a request
  if (!was_idle) ++counters_.handshakes_timed_out;
  end(guest);
}

bool Reception::look_again(Guest& guest) {
  if (guest.relay != nullptr) callbacks_.catch_up(*guest.relay);
  return look_at(guest, false);
}

bool Reception::look_at(Guest& guest, bool at_end) {
  std::string_view seen;
  switch (progress(guest, at_end, seen)) {
    case Progress::kWaits:
      return true;
    case Progress::kEnds:
      end(guest);
      return false;
    case Progress::kMayRead:
      break;
  }
  const Clearance more = clear_requests(guest, seen);
  const std::unique_ptr<Guest> taken = take(guest);
  if (!taken->arrival) {
    callbacks_.may_read(taken->owner, more);
    return false;
  }
  if (!taken->head.has_body()) taken->arrival->presence().request_is_whole();
  Clearance& clearance = taken->arrival->clearance;
  clearance.bytes += more.bytes;
  clearance.requests += more.requests;
  callbacks_.arrived(taken->arrival, taken->head.request_line(seen));
  return false;
}

Reception::Progress Reception::progress(Guest& guest, bool at_end, std::string_view& seen) {
  if (guest.refused) return drop_rest(guest);
  while (true) {
    const ssize_t size = recv(guest.fd, seen_.data(), seen_.size(), MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Progress::kWaits;
    if (size <= 0) return Progress::kEnds;
    seen = std::string_view(seen_).substr(0, static_cast<size_t>(size));
    if (!guest.introduces) break;
    const Progress introduction = introduce(guest, seen);
    if (introduction == Progress::kWaits && at_end) return Progress::kEnds;
    if (introduction != Progress::kMayRead) return introduction;
  }
  if (std::exchange(guest.idle, false)) deadlines_.start(guest.deadline);
  switch (guest.head.read(seen, limits_)) {
    case RequestHead::State::kMore:
      return at_end ? Progress::kEnds : Progress::kWaits;
    case RequestHead::State::kRefused:
      ++counters_.requests_malformed;
      refuse(guest);
      return drop_rest(guest);
    case RequestHead::State::kWhole:
      break;
  }
  return Progress::kMayRead;
}

Reception::Progress Reception::introduce(Guest& guest, std::string_view seen) {
  const ProxyHeader header = read_proxy_header(seen);
  if (header.state == ProxyHeader::State::kMore) return Progress::kWaits;
  if (header.state == ProxyHeader::State::kInvalid) {
    ++counters_.proxy_headers_invalid;
    return Progress::kEnds;
  }
  guest.introduces = false;
  // It is there: that much was seen.
  if (recv(guest.fd, seen_.data(), header.size, MSG_DONTWAIT) !=
      static_cast<ssize_t>(header.size)) {
    return Progress::kEnds;
  }
  guest.arrival->clearance.bytes = header.size;
  return callbacks_.introduced(*guest.arrival,
                               header.client.value_or(guest.arrival->presence().peer()))
             ? Progress::kMayRead
             : Progress::kEnds;
}

void Reception::refuse(Guest& guest) {
  guest.refused = true;
  leaving_.start(guest.deadline);
  const std::string answer = serialize(
      {.status = guest.head.status(), .body = error_body(guest.head.error()), .close = true},
      Method::kOther, false, {});
  send(guest.fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(guest.fd, SHUT_WR);
}

// A descriptor that is closed while bytes wait in it takes the answer with it that its client has
// not read yet. So they are read, for a while, until the client closes.
Reception::Progress Reception::drop_rest(Guest& guest) {
  constexpr int kMostPieces = 64;  // at a time
  for (int piece = 0; piece < kMostPieces; ++piece) {
    const ssize_t size = recv(guest.fd, seen_.data(), seen_.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return Progress::kWaits;
    if (size <= 0) break;
  }
  return Progress::kEnds;
}

// libwebsockets reads what it can get. Requests that are here already may be read with the first
// one, unless they have a body, which it would misread out of its own buffer; or unless the first
// has one that it would not know the end of.
Clearance Reception::clear_requests(const Guest& guest, std::string_view seen) const {
  const RequestHead& first = guest.head;
  Clearance more{first.size() + first.body_size(), 1};
  bool open = first.ends_open() || (kReadsBeyondBodies && first.has_body());
  while (!open && more.bytes < seen.size()) {
    RequestHead next;
    if (next.read(seen.substr(more.bytes), limits_) != RequestHead::State::kWhole ||
        next.body_size() != 0) {
      break;
    }
    open = next.ends_open();
    more.bytes += next.size();
    ++more.requests;
  }
  return more;
}

void Reception::end(Guest& guest) {
  const std::unique_ptr<Guest> taken = take(guest);
  if (!taken->arrival) callbacks_.over(taken->owner);
}

std::unique_ptr<Reception::Guest> Reception::take(Guest& guest) {
  if (guest.watched) epoll_ctl(epoll_, EPOLL_CTL_DEL, guest.fd, nullptr);
  const auto found = guests_.find(guest.fd);
  std::unique_ptr<Guest> taken = std::move(found->second);
  guests_.erase(found);
  return taken;
}

}  // namespace signalbox::net
