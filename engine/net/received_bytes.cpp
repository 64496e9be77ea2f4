#include "engine/net/received_bytes.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace signalbox::net {
namespace {

uint64_t arrived(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  return info.tcpi_bytes_received;
}

uint64_t unread(int fd) {
  int count = 0;
  return ioctl(fd, FIONREAD, &count) == 0 ? static_cast<uint64_t>(count) : 0;
}

// The kernel counts the end of the stream as one byte more.
bool ended(int fd) {
  pollfd state{fd, POLLRDHUP, 0};
  return poll(&state, 1, 0) != 0;
}

}  // namespace

uint64_t received_at_least(int fd) {
  const uint64_t before = arrived(fd);  // read first: what comes in between only lowers the result
  const uint64_t left = unread(fd);
  if (ended(fd)) return 0;  // asked last: an end that came after `before` was taken does no harm
  return before > left ? before - left : 0;
}

uint64_t received_at_most(int fd) {
  const uint64_t left = unread(fd);
  return arrived(fd) - left;
}

}  // namespace signalbox::net
