#include "tests/bench/tls.h"

#include <openssl/err.h>

#include <cerrno>
#include <stdexcept>

namespace bench {
namespace {

SSL_CTX* make_context() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) throw std::runtime_error("no TLS");
  // What could not be sent at once waits in a buffer that moves.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

SSL* make_session(int fd) {
  static SSL_CTX* const kContext = make_context();
  SSL* ssl = SSL_new(kContext);
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) throw std::runtime_error("no session of TLS");
  SSL_set_connect_state(ssl);
  return ssl;
}

}  // namespace

Tls::Tls(int fd) : ssl_(make_session(fd), SSL_free) {}

Tls::Handshake Tls::handshake() {
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return Handshake::kDone;
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) return Handshake::kReads;
  return error == SSL_ERROR_WANT_WRITE ? Handshake::kWrites : Handshake::kFailed;
}

ssize_t Tls::send(std::string_view bytes) {
  return outcome(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
}

ssize_t Tls::receive(char* buffer, size_t size) {
  return outcome(SSL_read(ssl_.get(), buffer, static_cast<int>(size)));
}

ssize_t Tls::outcome(int result) {
  if (result > 0) return result;
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  const bool again = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  errno = again ? EAGAIN : ECONNRESET;
  return -1;
}

}  // namespace bench
