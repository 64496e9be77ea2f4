#include "engine/net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace signalbox::net {
namespace {

// Accepts in one turn at most, so that a flood of connections leaves time for the others.
constexpr int kAcceptsPerTurn = 64;
// How long to wait when the system has no memory for another connection.
constexpr uint64_t kStarvedMs = 100;

int open_reserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

Listener::Listener(Loop& loop)
    : loop_(loop), resume_(loop, [this] {
        if (!poll_) return;
        if (reserve_ < 0) reserve_ = open_reserve();
        poll_->watch(true, false);
      }) {}

Listener::~Listener() {
  close();
}

void Listener::start(std::shared_ptr<const ListeningSocket> socket,
                     std::function<void(int, const Address&)> accepted,
                     std::function<void()> starved) {
  socket_ = std::move(socket);
  reserve_ = open_reserve();
  accepted_ = std::move(accepted);
  starved_ = std::move(starved);
  poll_ = std::make_unique<Poll>(loop_, socket_->fd(), [this](bool, bool) { accept_ready(); });
  poll_->watch(true, false);
}

void Listener::close() {
  resume_.stop();
  poll_.reset();
  socket_.reset();
  if (reserve_ >= 0) ::close(reserve_);
  reserve_ = -1;
}

void Listener::accept_ready() {
  for (int i = 0; i < kAcceptsPerTurn && socket_; ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd = accept4(socket_->fd(), reinterpret_cast<sockaddr*>(&peer), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted_(fd, Address::of(peer).value_or(Address()));
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return;
      case EMFILE:
      case ENFILE:
        if (!shed()) return;
        break;
      case ENOBUFS:
      case ENOMEM:
        starved_();
        poll_->watch(false, false);
        resume_.start(kStarvedMs);
        return;
      default:  // this one connection failed before we had it (ECONNABORTED, EPROTO, ...)
        break;
    }
  }
}

// Takes the next client with the reserve descriptor, only to turn it away: left in the backlog it
// would make the level-triggered poll fire without end. False when that fails, too, and accepting
// has been paused.
bool Listener::shed() {
  starved_();
  if (reserve_ >= 0) ::close(reserve_);
  const int fd = accept4(socket_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  reserve_ = open_reserve();
  if (fd >= 0 && reserve_ >= 0) return true;
  // Another thread took the descriptor, or the client: rest instead of spinning.
  poll_->watch(false, false);
  resume_.start(kStarvedMs);
  return false;
}

}  // namespace signalbox::net
