#include "engine/net/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace signalbox::net {
namespace {

// Accepts in one turn at most, so that a flood of connections leaves time for the others.
constexpr int kAcceptsPerTurn = 64;
// How long to wait when the system has no memory for another connection.
constexpr uint64_t kStarvedMs = 100;

Status refused(const std::string& host, uint16_t port, const std::string& why) {
  return Status(ErrorCode::kAddress,
                "cannot listen on " + host + " port " + std::to_string(port) + ": " + why);
}

int open_reserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

Listener::Listener(Loop& loop)
    : loop_(loop), resume_(loop, [this] {
        if (poll_) poll_->watch(true, false);
      }) {}

Listener::~Listener() {
  close();
}

Status Listener::open(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int rc = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (rc != 0) return refused(host, port, gai_strerror(rc));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);

  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    if (errno == EAFNOSUPPORT && host == "::") return open("0.0.0.0", port);
    return refused(host, port, strerror(errno));
  }
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (found->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
    const int error = errno;
    ::close(fd);
    if (error == EADDRNOTAVAIL && host == "::") return open("0.0.0.0", port);
    return refused(host, port,
                   error == EADDRINUSE ? "the port is in use" : std::string(strerror(error)));
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                            : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  fd_ = fd;
  reserve_ = open_reserve();
  return {};
}

void Listener::start(std::function<void(int)> accepted, std::function<void()> starved) {
  accepted_ = std::move(accepted);
  starved_ = std::move(starved);
  poll_ = std::make_unique<Poll>(loop_, fd_, [this](bool, bool) { accept_ready(); });
  poll_->watch(true, false);
}

void Listener::close() {
  resume_.stop();
  poll_.reset();
  if (fd_ >= 0) ::close(fd_);
  if (reserve_ >= 0) ::close(reserve_);
  fd_ = reserve_ = -1;
}

void Listener::accept_ready() {
  for (int i = 0; i < kAcceptsPerTurn && fd_ >= 0; ++i) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);  // or received_bytes.h miscounts
      accepted_(fd);
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return;
      case EMFILE:
      case ENFILE:
        shed();
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
// would make the level-triggered poll fire without end.
void Listener::shed() {
  starved_();
  if (reserve_ >= 0) ::close(reserve_);
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  reserve_ = open_reserve();
  if (fd < 0 || reserve_ < 0) {
    // Another thread took the descriptor: rest instead of spinning.
    poll_->watch(false, false);
    resume_.start(kStarvedMs);
  }
}

}  // namespace signalbox::net
