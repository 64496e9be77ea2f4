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

bool has_read(int fd, uint64_t bytes) {
  // A second look makes sure that nothing arrived between the questions.
  constexpr int kMostLooks = 3;
  for (int look = 0; look < kMostLooks; ++look) {
    const uint64_t left = unread(fd);
    const uint64_t read = arrived(fd) - left;
    if (left != unread(fd)) continue;
    // Asked anew: once the stream has ended the count is final, its end included.
    return read == bytes || (ended(fd) && arrived(fd) - unread(fd) == bytes + 1);
  }
  return false;
}

bool has_read_of_pair(int fd, uint64_t bytes, uint64_t delivered) {
  return delivered - unread(fd) == bytes;
}

}  // namespace signalbox::net
