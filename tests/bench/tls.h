// TLS on a socket that does not block, for a client that trusts every server.
//
// Thread: the only one.
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace bench {

class Tls {
 public:
  enum class Handshake : uint8_t { kDone, kReads, kWrites, kFailed };

  // `fd` is connected, and stays the caller's.
  explicit Tls(int fd);

  // Goes on with the handshake: done, or to be called again when the socket can be read, or
  // written.
  Handshake handshake();

  // Like send(2) and recv(2), once the handshake is done.
  ssize_t send(std::string_view bytes);
  ssize_t receive(char* buffer, size_t size);

 private:
  ssize_t outcome(int result);

  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

}  // namespace bench
