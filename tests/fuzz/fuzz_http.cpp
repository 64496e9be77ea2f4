// Bytes on a connection to the HTTP server: request lines, headers, query strings and their percent
// encoding, bodies, WebSocket frames. libwebsockets, which reads most of it, is not instrumented;
// what we make of that is. "<cut>" in the input ends a piece: the server takes the turns it wants
// before the next is sent.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_server.h"

namespace {

constexpr std::string_view kCut = "<cut>";
constexpr int kPauseMs = 50;
constexpr int kMostTurns = 200;  // of 1 ms where nothing happens

class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // On the loopback interface it is done at once, whatever connect() says; unless something else
    // on this machine has taken all ports for the moment.
    while (connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
      CHECK(errno == EADDRNOTAVAIL || errno == EINTR);
      poll(nullptr, 0, kPauseMs);
    }
    // Closing resets, so that no connection lingers in the system.
    const linger at_once = {1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ~Client() { close(fd_); }

  void send(std::string_view bytes) const {
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  // Whether something has come.
  bool receive() {
    char buffer[4096];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) received_.append(buffer, static_cast<size_t>(got));
    return got > 0;
  }
  const std::string& received() const { return received_; }

 private:
  const int fd_;
  std::string received_;
};

void serve(fuzz::HttpServer& server, Client& client) {
  constexpr int kQuietTurns = 4;
  for (int quiet = 0; quiet < kQuietTurns; ++quiet) {
    server.turn(0);
    if (client.receive()) quiet = 0;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static fuzz::HttpServer& server = *new fuzz::HttpServer;
  std::string_view rest = fuzz::text_of(data, size);
  {
    Client client(server.port());
    serve(server, client);
    while (!rest.empty()) {
      const size_t cut = rest.find(kCut);
      client.send(rest.substr(0, cut));
      rest.remove_prefix(cut == std::string_view::npos ? rest.size() : cut + kCut.size());
      serve(server, client);
    }
    // libwebsockets itself answers what is no HTTP, and says 1.0.
    CHECK(client.received().empty() || client.received().starts_with("HTTP/1."));
  }
  for (int turns = 0; !server.idle() && turns < kMostTurns; ++turns) server.turn(turns < 4 ? 0 : 1);
  CHECK(server.idle());
  return 0;
}
