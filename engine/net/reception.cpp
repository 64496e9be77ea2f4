#include "engine/net/reception.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <utility>

#include "engine/net/request_line.h"

namespace signalbox::net {
namespace {

// The longest line that is waited for. A request with a longer one is served all the same, see
// Server::forward().
constexpr size_t kMostSeen = 8192;

}  // namespace

Reception::Reception(Loop& loop, uint64_t patience_ms,
                     std::function<void(const std::shared_ptr<Arrival>&, std::string_view)> arrived)
    : arrived_(std::move(arrived)),
      seen_(kMostSeen, '\0'),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      deadlines_(loop, patience_ms, [this](void* guest) { take(*static_cast<Guest*>(guest)); }) {
  if (epoll_ < 0) throw std::runtime_error("no descriptor left for an epoll set");
  poll_ = std::make_unique<Poll>(loop, epoll_, [this](bool, bool) { ready(); });
  poll_->watch(true, false);
}

Reception::~Reception() {
  poll_.reset();
  ::close(epoll_);
}

bool Reception::add(std::shared_ptr<Arrival> arrival) {
  const int fd = arrival->fd();
  auto guest = std::make_unique<Guest>(std::move(arrival));
  epoll_event event{};
  // Edge-triggered: what has been looked at stays in the socket, and would be reported again.
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.ptr = guest.get();
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  deadlines_.start(guest->deadline);
  guests_.emplace(fd, std::move(guest));
  return true;
}

void Reception::ready() {
  // One at a time: looking at one may end others.
  epoll_event event{};
  while (epoll_wait(epoll_, &event, 1, 0) == 1) {
    look_at(*static_cast<Guest*>(event.data.ptr), (event.events & EPOLLRDHUP) != 0);
  }
}

void Reception::look_at(Guest& guest, bool at_end) {
  const ssize_t size =
      recv(guest.arrival->fd(), seen_.data(), seen_.size(), MSG_PEEK | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    take(guest);  // and so end it
    return;
  }
  const std::string_view seen(seen_.data(), static_cast<size_t>(size));
  const std::optional<std::string_view> line = first_line(seen);
  if (!line && seen.size() < seen_.size()) {
    if (at_end) take(guest);
    return;
  }
  arrived_(take(guest), line.value_or(std::string_view()));
}

std::shared_ptr<Arrival> Reception::take(Guest& guest) {
  const int fd = guest.arrival->fd();
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  std::shared_ptr<Arrival> arrival = std::move(guest.arrival);
  guests_.erase(fd);
  return arrival;
}

}  // namespace signalbox::net
