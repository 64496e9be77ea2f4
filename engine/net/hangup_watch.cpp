#include "engine/net/hangup_watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace signalbox::net {

HangupWatch::HangupWatch(Loop& loop, std::function<void(void*)> gone)
    : gone_(std::move(gone)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("no descriptor left for an epoll set");
  poll_ = std::make_unique<Poll>(loop, epoll_, [this](bool, bool) { ready(); });
  poll_->watch(true, false);
}

HangupWatch::~HangupWatch() {
  poll_.reset();
  ::close(epoll_);
}

void HangupWatch::add(int fd, void* owner) {
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLONESHOT;  // errors and full hang-ups are always reported
  event.data.ptr = owner;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void HangupWatch::remove(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void HangupWatch::ready() {
  // One at a time: what `gone_` does may remove other descriptors, whose events must not be used
  // then.
  epoll_event event{};
  while (epoll_wait(epoll_, &event, 1, 0) == 1) gone_(event.data.ptr);
}

}  // namespace signalbox::net
