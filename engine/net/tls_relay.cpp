#include "engine/net/tls_relay.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace signalbox::net {
namespace {

// What a client has sent meanwhile is read before its connection is closed, up to this many
// pieces: unread it would cost the client the end of what it was sent.
constexpr int kMostDroppedReads = 16;

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

TlsRelay::TlsRelay(TlsSession session, int client, std::shared_ptr<Presence> presence)
    : session_(std::move(session)), presence_(std::move(presence)), client_(client) {
  if (SSL_set_fd(session_.get(), client_) != 1) broken_ = true;
}

TlsRelay::~TlsRelay() {
  end();
}

void TlsRelay::end() {
  broken_ = true;
  if (client_ < 0) return;
  std::array<char, kPiece> dropped;
  for (int i = 0; i < kMostDroppedReads; ++i) {
    if (recv(client_, dropped.data(), dropped.size(), MSG_DONTWAIT) <= 0) break;
  }
  for (int* const descriptor : {&client_, &inner_, &owned_server_end_}) {
    if (*descriptor >= 0) ::close(*descriptor);
    *descriptor = -1;
  }
  session_.reset();
  presence_.reset();
}

TlsRelay::State TlsRelay::state() const {
  if (broken_ || (farewell_said_ && (client_ended_ || server_left_))) return State::kOver;
  return open_ ? State::kOpen : State::kHandshake;
}

TlsRelay::State TlsRelay::advance(Ready ready) {
  // To look where nothing is costs a call of the system each time. What OpenSSL wants to write may
  // belong to either direction.
  const bool wanted_write = std::exchange(wants_write_, false);
  has_more_ = false;
  const bool either = !open_ || ready == Ready::kEither || wanted_write;
  const bool client = either || ready == Ready::kClient || !for_server_.empty();
  const bool server = either || ready == Ready::kServer || !for_client_.empty();
  if (!open_ && !broken_) shake_hands();
  if (open_ && !broken_ && client) to_server();
  if (open_ && !broken_ && server) to_client();
  return state();
}

void TlsRelay::finish() {
  if (open_ && !broken_) to_client();
  server_ended_ = true;
  if (open_ && !broken_ && !farewell_said_) say_farewell();
}

uint32_t TlsRelay::client_events() const {
  const bool reads = !open_ || (!client_ended_ && for_server_.empty());
  return (reads ? EPOLLIN : 0U) | (wants_write_ || has_more_ ? EPOLLOUT : 0U);
}

uint32_t TlsRelay::inner_events() const {
  const bool reads = !server_ended_ && for_client_.empty();
  return EPOLLET | (reads ? EPOLLIN : 0U) | (for_server_.empty() ? 0U : EPOLLOUT);
}

void TlsRelay::shake_hands() {
  ERR_clear_error();
  const int result = SSL_accept(session_.get());
  if (result == 1) {
    open_ = make_pair();
    broken_ = !open_;
  } else if (!comes_later(result)) {
    broken_ = true;
  }
}

bool TlsRelay::make_pair() {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return false;
  }
  inner_ = ends[0];
  server_end_ = owned_server_end_ = ends[1];
  return true;
}

bool TlsRelay::comes_later(int result) {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return true;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return true;
    default:
      ERR_clear_error();
      return false;
  }
}

void TlsRelay::to_server() {
  if (!for_server_.empty()) {
    const std::string waited = std::exchange(for_server_, {});
    if (!send_to_server(waited.data(), waited.size())) return;
  }
  std::array<char, kPiece> piece;
  for (int pieces = 0; !client_ended_; ++pieces) {
    if (pieces == kPieces) {  // others have their turn
      has_more_ = SSL_has_pending(session_.get()) != 0;
      return;
    }
    ERR_clear_error();
    const int size = SSL_read(session_.get(), piece.data(), static_cast<int>(piece.size()));
    if (size > 0) {
      if (!send_to_server(piece.data(), static_cast<size_t>(size))) return;
      // Behind a small record there is seldom another one; the descriptor tells if there is, unless
      // OpenSSL has read on.
      if (static_cast<size_t>(size) < piece.size() && SSL_has_pending(session_.get()) == 0) return;
    } else if (SSL_get_error(session_.get(), size) == SSL_ERROR_ZERO_RETURN) {
      client_ended_ = true;
      shutdown(inner_, SHUT_WR);
    } else {
      broken_ = !comes_later(size);
      return;
    }
  }
}

bool TlsRelay::send_to_server(const char* data, size_t size) {
  const ssize_t sent = send(inner_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && !would_block()) return true;  // nobody is there to read it
  const size_t taken = sent > 0 ? static_cast<size_t>(sent) : 0;
  delivered_ += taken;
  for_server_.assign(data + taken, size - taken);
  if (!for_server_.empty()) compact();
  return for_server_.empty();
}

// The system puts hundreds of bytes of its own to each piece in a pair, so that a request that
// comes byte by byte would fill the pair before it is whole; and until then it is only looked at,
// not read. So what waits there is made one piece. The other end is open: the pair is full, not
// broken. And it is read on this thread, thus not now.
void TlsRelay::compact() {
  constexpr size_t kLargest = 65536;  // of what may have to be there for a request to be whole
  std::string waiting(kLargest, '\0');
  const ssize_t size = recv(server_end_, waiting.data(), waiting.size(), MSG_PEEK | MSG_DONTWAIT);
  if (size <= 0 || static_cast<size_t>(size) == kLargest) return;
  if (recv(server_end_, waiting.data(), static_cast<size_t>(size), MSG_DONTWAIT) != size) {
    broken_ = true;
    return;
  }
  delivered_ -= static_cast<uint64_t>(size);
  waiting.resize(static_cast<size_t>(size));
  waiting += for_server_;
  const ssize_t sent = send(inner_, waiting.data(), waiting.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  const size_t taken = sent > 0 ? static_cast<size_t>(sent) : 0;
  delivered_ += taken;
  for_server_ = waiting.substr(taken);
}

void TlsRelay::to_client() {
  if (!for_client_.empty()) {
    const std::string waited = std::exchange(for_client_, {});
    if (!send_to_client(waited.data(), waited.size())) return;
  }
  std::array<char, kPiece> piece;
  while (!server_ended_) {  // nobody writes there meanwhile: that is done on this thread
    const ssize_t size = recv(inner_, piece.data(), piece.size(), MSG_DONTWAIT);
    if (size > 0) {
      if (!send_to_client(piece.data(), static_cast<size_t>(size))) return;
      if (static_cast<size_t>(size) < piece.size()) return;
    } else if (size < 0 && would_block()) {
      return;
    } else {
      server_ended_ = true;  // an error, too: it closed the pair with something unread
    }
  }
  if (!farewell_said_) say_farewell();
}

bool TlsRelay::send_to_client(const char* data, size_t size) {
  ERR_clear_error();
  const int sent = SSL_write(session_.get(), data, static_cast<int>(size));
  if (sent > 0) return true;  // all of it: partial writes are off
  broken_ = !comes_later(sent);
  for_client_.assign(data, size);
  return false;
}

void TlsRelay::say_farewell() {
  ERR_clear_error();
  const int result = SSL_shutdown(session_.get());
  if (result < 0) {
    broken_ = !comes_later(result);
    return;
  }
  farewell_said_ = true;
  shutdown(client_, SHUT_WR);
}

}  // namespace signalbox::net
