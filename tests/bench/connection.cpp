#include "tests/bench/connection.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace bench {
namespace {

// A reader that lags behind must not keep the others waiting.
constexpr int kReadsATurn = 4;

void set(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

void Connection::open(const Route& route, int receive_buffer) {
  close();
  received_.clear();
  unsent_.clear();
  paused_ = false;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    fail_soon(errno);
    return;
  }
  if (route.tls) tls_ = std::make_unique<Tls>(fd_);
  set(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  if (receive_buffer > 0) set(fd_, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  if (route.source.s_addr != 0) {
    // The port is chosen when both ends are known, so that each source has its 28,000.
    set(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr = route.source;
    bind(fd_, reinterpret_cast<const sockaddr*>(&source), sizeof source);
  }
  watched_ = EPOLLOUT;
  reactor_.add(fd_, watched_, *this);
  const auto* server = reinterpret_cast<const sockaddr*>(&route.server);
  if (connect(fd_, server, sizeof route.server) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    close();
    fail_soon(error);
  }
}

void Connection::send(std::string_view bytes) {
  if (closed()) return;
  if (established_ && unsent_.empty()) {
    const ssize_t sent = put(bytes);
    // An error shows itself to the next read.
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent < 0 && errno != EAGAIN) return;
    if (bytes.empty()) return;
  }
  unsent_.append(bytes);
  watch();
}

void Connection::pause_reading() {
  paused_ = true;
  if (!closed()) watch();
}

void Connection::resume_reading() {
  paused_ = false;
  if (!closed()) watch();
}

void Connection::close() {
  failure_.reset();
  if (closed()) return;
  reactor_.remove(fd_);
  tls_.reset();
  ::close(fd_);
  fd_ = -1;
  established_ = false;
}

void Connection::reset() {
  failure_.reset();
  if (closed()) return;
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Connection::on_ready(uint32_t events) {
  if (closed()) return;
  if (!established_) {
    if (!establish(events)) return;
    listener_.on_open(*this);
    if (closed()) return;
  }
  if ((events & EPOLLOUT) != 0 && !unsent_.empty()) flush();
  const bool over = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if ((events & EPOLLIN) != 0 || over) {
    if (!paused_) {
      receive();
    } else if (over) {
      end(ECONNRESET);
    }
  }
}

bool Connection::establish(uint32_t events) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    end(error);
    return false;
  }
  if ((events & watched_) == 0) return false;
  switch (tls_ ? tls_->handshake() : Tls::Handshake::kDone) {
    case Tls::Handshake::kDone:
      established_ = true;
      watch();
      return true;
    case Tls::Handshake::kReads:
      watch(EPOLLIN);
      return false;
    case Tls::Handshake::kWrites:
      watch(EPOLLOUT);
      return false;
    case Tls::Handshake::kFailed:
      break;
  }
  end(EPROTO);
  return false;
}

ssize_t Connection::put(std::string_view bytes) {
  return tls_ ? tls_->send(bytes) : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Connection::receive() {
  std::string& scratch = reactor_.scratch();
  for (int reads = 0; reads < kReadsATurn && !closed() && !paused_; ++reads) {
    const ssize_t size = tls_ ? tls_->receive(scratch.data(), scratch.size())
                              : recv(fd_, scratch.data(), scratch.size(), 0);
    if (size <= 0) {
      if (size < 0 && errno == EAGAIN) return;
      end(size < 0 ? errno : 0);
      return;
    }
    const std::string_view fresh(scratch.data(), static_cast<size_t>(size));
    if (received_.empty()) {
      const size_t consumed = listener_.on_bytes(*this, fresh);
      if (!closed() && consumed < fresh.size()) received_.assign(fresh.substr(consumed));
    } else {
      received_.append(fresh);
      const size_t consumed = listener_.on_bytes(*this, received_);
      received_.erase(0, consumed);
      if (received_.empty()) received_.shrink_to_fit();
    }
    // TLS gives a record at a time.
    if (!tls_ && fresh.size() < scratch.size()) return;
  }
}

void Connection::flush() {
  const ssize_t sent = put(unsent_);
  if (sent > 0) unsent_.erase(0, static_cast<size_t>(sent));
  if (sent < 0 && errno != EAGAIN) unsent_.clear();
  if (unsent_.empty()) unsent_.shrink_to_fit();
  watch();
}

void Connection::watch() {
  if (!established_) return;  // establish() sees to that
  uint32_t wanted = paused_ ? 0 : static_cast<uint32_t>(EPOLLIN);
  if (!unsent_.empty()) wanted |= EPOLLOUT;
  watch(wanted);
}

void Connection::watch(uint32_t events) {
  if (events == watched_) return;
  watched_ = events;
  reactor_.change(fd_, watched_, *this);
}

void Connection::fail_soon(int error) {
  failure_ = std::make_unique<Timer>(reactor_, [this, error] { listener_.on_end(*this, error); });
  failure_->start(0);
}

void Connection::end(int error) {
  close();
  listener_.on_end(*this, error);
}

}  // namespace bench
