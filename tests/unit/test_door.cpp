// What a server counts of those whom it turns away.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/core/log.h"
#include "engine/net/server.h"
#include "tests/unit/unit_test.h"

using namespace signalbox;

namespace {

// Answers every request with 200, and no WebSocket.
class Polite : public net::Handler {
 public:
  size_t body_limit(const net::Request&) override { return 100; }
  void on_request(const std::shared_ptr<net::HttpExchange>& exchange) override {
    exchange->respond({});
  }
  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request&) override {
    return net::Response{.status = 403};
  }
};

struct Door {
  explicit Door(const Options& wanted) : options(wanted) {
    options.listen_host = "127.0.0.1";
    options.listen_port = 0;
    options.http_request_timeout = 50;
    server = std::make_unique<net::Server>(loop, log, options, origins, counters, polite);
    assert_true(server->open().ok());
  }
  ~Door() {
    bool closed = false;
    server->close([&] { closed = true; });
    while (!closed) loop.turn(10);
    server.reset();
    loop.turn(0);
  }

  // A connection of a client at 127.0.0.`host` that sends this.
  int connect(uint32_t host, std::string_view bytes) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(0x7f000000 + host);
    assert_int_equal(bind(fd, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    sockaddr_in there = here;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin_port = htons(server->port());
    assert_int_equal(::connect(fd, reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
    assert_int_equal(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), bytes.size());
    return fd;
  }

  void expect(const Counter& counter, uint64_t value) {
    for (int turn = 0; turn < 1000 && counter < value; ++turn) loop.turn(10);
    assert_int_equal(counter, value);
  }

  Loop loop;
  Log log{LogLevel::kError, {}};
  Options options;
  net::OriginPolicy origins{{}};
  Counters counters;
  Polite polite;
  std::unique_ptr<net::Server> server;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

void an_address_with_too_many(void**) {
  Options options;
  options.proxy_trusted = {};
  options.limits_connections_per_ip = 1;
  Door door(options);
  const int first = door.connect(2, kGet);
  const int second = door.connect(2, kGet);
  const int other = door.connect(3, kGet);
  door.expect(door.counters.connections_refused_address, 1);
  door.expect(door.counters.http_requests, 2);
  for (const int fd : {first, second, other}) close(fd);
}

void a_client_behind_a_proxy_with_too_many(void**) {
  Options options;
  options.limits_connections_per_ip = 0;
  Door door(options);
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
  const int fd = door.connect(1, request);
  door.expect(door.counters.http_requests, 1);
  assert_int_equal(door.counters.connections_refused_address, 0);
  close(fd);
}

void too_many_who_have_yet_to_ask(void**) {
  Options options;
  options.limits_handshakes = 2;
  Door door(options);
  const int asked = door.connect(1, kGet);
  door.expect(door.counters.http_requests, 1);
  const int silent[] = {door.connect(1, ""), door.connect(1, "GET"), door.connect(1, "")};
  door.expect(door.counters.handshakes_displaced, 1);
  const int newcomer = door.connect(1, kGet);  // its request is here: nobody needs to go
  door.expect(door.counters.http_requests, 2);
  door.expect(door.counters.handshakes_timed_out, 2);
  assert_int_equal(door.counters.handshakes_displaced, 1);
  for (const int fd : {asked, silent[0], silent[1], silent[2], newcomer}) close(fd);
}

void one_whose_request_has_just_come(void**) {
  Options options;
  options.limits_handshakes = 1;
  Door door(options);
  const int first = door.connect(1, "");
  const int second = door.connect(1, "");
  door.expect(door.counters.handshakes_displaced, 1);
  // In the next turn there is a newcomer, and behind it the request.
  const int third = door.connect(1, "");
  assert_int_equal(send(second, kGet.data(), kGet.size(), MSG_NOSIGNAL), kGet.size());
  door.expect(door.counters.http_requests, 1);
  assert_int_equal(door.counters.handshakes_displaced, 1);
  for (const int fd : {first, second, third}) close(fd);
}

void malformed_requests(void**) {
  Door door{Options()};
  const int first = door.connect(1, "GET / HTTP/1.1\r\nHost : x\r\n\r\n");
  door.expect(door.counters.requests_malformed, 1);
  const int second = door.connect(1, kGet);
  door.expect(door.counters.http_requests, 1);
  assert_int_equal(send(second, "X\n", 2, MSG_NOSIGNAL), 2);
  door.expect(door.counters.requests_malformed, 2);
  for (const int fd : {first, second}) close(fd);
}

void missing_proxy_headers(void**) {
  Options options;
  options.proxy_protocol = {"127.0.0.9"};
  Door door(options);
  const int without = door.connect(9, kGet);
  door.expect(door.counters.proxy_headers_invalid, 1);
  assert_int_equal(door.counters.http_requests, 0);
  const int with = door.connect(9, "PROXY UNKNOWN\r\n" + std::string(kGet));
  door.expect(door.counters.http_requests, 1);
  const int other = door.connect(1, kGet);
  door.expect(door.counters.http_requests, 2);
  for (const int fd : {without, with, other}) close(fd);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_address_with_too_many),
      cmocka_unit_test(a_client_behind_a_proxy_with_too_many),
      cmocka_unit_test(too_many_who_have_yet_to_ask),
      cmocka_unit_test(one_whose_request_has_just_come),
      cmocka_unit_test(malformed_requests),
      cmocka_unit_test(missing_proxy_headers),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
