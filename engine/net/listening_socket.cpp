#include "engine/net/listening_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace signalbox::net {
namespace {

Status refused(const std::string& host, uint16_t port, const std::string& why) {
  return Status(ErrorCode::kAddress,
                "cannot listen on " + host + " port " + std::to_string(port) + ": " + why);
}

// Connections inherit these.
void set_inherited(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);  // or received_bytes.h miscounts
}

Status bind_and_listen(const std::string& host, uint16_t port, int& listening) {
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
    if (errno == EAFNOSUPPORT && host == "::") return bind_and_listen("0.0.0.0", port, listening);
    return refused(host, port, strerror(errno));
  }
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (found->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
    const int error = errno;
    ::close(fd);
    if (error == EADDRNOTAVAIL && host == "::") {
      return bind_and_listen("0.0.0.0", port, listening);
    }
    return refused(host, port,
                   error == EADDRINUSE ? "the port is in use" : std::string(strerror(error)));
  }
  listening = fd;
  return {};
}

int socket_option(int fd, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

Status take(int given, int& listening) {
  const int family = socket_option(given, SO_DOMAIN);
  if (socket_option(given, SO_ACCEPTCONN) != 1 || socket_option(given, SO_TYPE) != SOCK_STREAM ||
      (family != AF_INET && family != AF_INET6)) {
    return {ErrorCode::kInvalid,
            "option listen.fd: " + std::to_string(given) + " is not a TCP socket that listens"};
  }
  const int fd = fcntl(given, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return {ErrorCode::kSystem, std::string("option listen.fd: ") + strerror(errno)};
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  listening = fd;
  return {};
}

}  // namespace

Status ListeningSocket::open(const Options& options,
                             std::shared_ptr<const ListeningSocket>& opened) {
  int fd = -1;
  const Status status =
      options.listen_fd >= 0
          ? take(static_cast<int>(options.listen_fd), fd)
          : bind_and_listen(options.listen_host, static_cast<uint16_t>(options.listen_port), fd);
  if (!status.ok()) return status;
  set_inherited(fd);
  opened = std::make_shared<const ListeningSocket>(fd);
  return {};
}

ListeningSocket::ListeningSocket(int fd) : fd_(fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                            : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

ListeningSocket::~ListeningSocket() {
  ::close(fd_);
}

}  // namespace signalbox::net
