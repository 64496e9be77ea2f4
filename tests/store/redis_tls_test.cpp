// TLS to Redis: who is believed, and that what goes through it arrives. Only where it is built in.
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/store/redis_options.h"
#include "engine/store/subscription.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::Status;
using signalbox::store::Reply;
using signalbox::store::Subscription;
using signalbox::store::validate_redis_options;
using signalbox::test::Client;
using signalbox::test::free_port;
using signalbox::test::RedisSentinel;
using signalbox::test::RedisServer;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;

// An authority, and certificates that it has signed, in a directory that goes with it.
class Authority {
 public:
  Authority() {
    char path[] = "/tmp/signalbox-tls-XXXXXX";
    if (mkdtemp(path) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = path;
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout " +
            file("ca.key") + " -out " + ca());
  }
  ~Authority() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // `name`.pem and `name`.key, valid for what `subject` says ("DNS:localhost,IP:127.0.0.1").
  void sign(const std::string& name, const std::string& subject) const {
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=" + name + " -CA " + ca() +
            " -CAkey " + file("ca.key") + " -addext subjectAltName=" + subject +
            " -addext basicConstraints=critical,CA:FALSE -keyout " + file(name + ".key") +
            " -out " + file(name + ".pem"));
  }
  std::string ca() const { return file("ca.pem"); }
  std::string file(const std::string& name) const { return directory_ + "/" + name; }

 private:
  static void openssl(const std::string& arguments) {
    const std::string command = "openssl " + arguments + " 2>/dev/null";
    if (system(command.c_str()) != 0) throw std::runtime_error(command);
  }
  std::string directory_;
};

std::unique_ptr<Authority> authority;

std::vector<std::string> tls_arguments(int port, const std::string& certificate,
                                       const std::string& auth_clients = "no") {
  return {"--tls-port",
          std::to_string(port),
          "--bind",
          "127.0.0.1",
          "--tls-cert-file",
          authority->file(certificate + ".pem"),
          "--tls-key-file",
          authority->file(certificate + ".key"),
          "--tls-ca-cert-file",
          authority->ca(),
          "--tls-auth-clients",
          auth_clients};
}

Options options_for(const std::string& host, int port) {
  Options options;
  options.redis_url = "rediss://" + host + ":" + std::to_string(port);
  options.redis_tls_ca = authority->ca();
  return options;
}

void assert_connects(const Options& options) {
  Loop loop;
  assert_true(validate_redis_options(options).ok());
  Client client(loop, options);
  assert_string_equal(client.text({"PING"}).c_str(), "PONG");
}

// `told` must be in the log.
void assert_refused(const Options& options, const std::string& told) {
  Loop loop;
  Client client(loop, options);
  const Stopwatch watch;
  assert_true(client.call({"PING"}).type == Reply::Type::kUnavailable);
  assert_took(watch, 0, 2000);
  bool found = false;
  for (const std::string& line : client.lines) {
    found = found || line.find(told) != std::string::npos;
  }
  if (!found) {
    for (const std::string& line : client.lines) print_error("%s\n", line.c_str());
  }
  assert_true(found);
}

void any_bytes_arrive_in_any_amount(void**) {
  const int port = free_port();
  RedisServer server(tls_arguments(port, "right"));
  Loop loop;
  Client client(loop, options_for("localhost", port));
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string large;
  while (large.size() < 5'000'000) large += all;
  for (const std::string& value : {all, std::string(), large}) {
    assert_string_equal(client.text({"SET", "key", value}).c_str(), "OK");
    assert_true(client.text({"GET", "key"}) == value);
  }
  for (int i = 0; i < 1000; ++i) client.send({"ECHO", std::to_string(i) + std::string(1000, 'x')});
  run_until(loop, [&] { return client.replies.size() == 1000; });
  for (size_t i = 0; i < 1000; ++i) {
    assert_true(client.replies[i].text == std::to_string(i) + std::string(1000, 'x'));
  }

  std::vector<std::string> heard;
  Subscription subscription(
      loop, client.log, client.options,
      [&](std::string_view, std::string_view payload) { heard.emplace_back(payload); },
      [](bool) {});
  subscription.subscribe("channel");
  subscription.connect();
  run_until(loop, [&] { return subscription.ready(); });
  assert_int_equal(client.integer({"PUBLISH", "channel", large}), 1);
  run_until(loop, [&] { return heard.size() == 1; });
  assert_true(heard[0] == large);
}

void a_lost_connection_is_made_again(void**) {
  const int port = free_port();
  RedisServer server(tls_arguments(port, "right"));
  Loop loop;
  Client client(loop, options_for("localhost", port));
  for (int round = 0; round < 3; ++round) {
    assert_string_equal(client.text({"PING"}).c_str(), "PONG");
    server.kill();
    run_until(loop, [&] { return !client.redis->connected(); });
    assert_true(client.call({"PING"}).type == Reply::Type::kUnavailable);
    server.start();
    client.wait_until_connected();
  }
}

void the_certificate_must_be_for_the_server(void**) {
  {
    const int port = free_port();
    RedisServer server(tls_arguments(port, "right"));
    assert_connects(options_for("localhost", port));
    assert_connects(options_for("127.0.0.1", port));
  }
  {
    const int port = free_port();
    RedisServer server(tls_arguments(port, "named"));
    assert_connects(options_for("localhost", port));
    assert_refused(options_for("127.0.0.1", port), "IP address mismatch");
  }
  {
    const int port = free_port();
    RedisServer server(tls_arguments(port, "numbered"));
    assert_connects(options_for("127.0.0.1", port));
    assert_refused(options_for("localhost", port), "hostname mismatch");
  }
}

void the_authority_must_be_believed(void**) {
  const int port = free_port();
  RedisServer server(tls_arguments(port, "right"));
  Options options = options_for("localhost", port);
  options.redis_tls_ca.clear();
  assert_refused(options, "certificate refused: ");
  const Authority other;
  options.redis_tls_ca = other.ca();
  assert_refused(options, "certificate refused: ");
}

void redis_may_want_a_certificate_of_ours(void**) {
  const int port = free_port();
  RedisServer server(tls_arguments(port, "right", "yes"));
  Options options = options_for("localhost", port);
  assert_refused(options, "cannot connect");
  options.redis_tls_cert = authority->file("client.pem");
  options.redis_tls_key = authority->file("client.key");
  assert_connects(options);
}

void a_key_must_fit_its_certificate(void**) {
  Options options = options_for("localhost", 1);
  options.redis_tls_cert = authority->file("client.pem");
  options.redis_tls_key = authority->file("right.key");
  const Status status = validate_redis_options(options);
  assert_true(status.text().find("option redis.tls_key: ") == 0);
  options.redis_tls_key = authority->file("client.key");
  assert_true(validate_redis_options(options).ok());
}

void a_redis_without_tls_is_told(void**) {
  const int port = free_port();
  RedisServer server({"--port", std::to_string(port), "--bind", "127.0.0.1"});
  assert_refused(options_for("localhost", port), "cannot connect");
  assert_refused(options_for("localhost", free_port()), "refused");
}

void the_sentinels_speak_tls_too(void**) {
  const int port = free_port();
  std::vector<std::string> arguments = tls_arguments(port, "right");
  arguments.insert(arguments.end(), {"--tls-replication", "yes"});
  RedisServer server(arguments);
  const int sentinel_port = free_port();
  const RedisSentinel sentinel({
      "sentinel monitor mymaster 127.0.0.1 " + std::to_string(port) + " 1",
      "tls-port " + std::to_string(sentinel_port),
      "tls-cert-file " + authority->file("right.pem"),
      "tls-key-file " + authority->file("right.key"),
      "tls-ca-cert-file " + authority->ca(),
      "tls-auth-clients no",
      "tls-replication yes",
  });
  Options options = options_for("ignored.invalid", 1);
  options.redis_sentinels = {"localhost:" + std::to_string(sentinel_port)};
  options.redis_master_name = "mymaster";
  assert_connects(options);
  options.redis_sentinels = {"127.0.0.2:" + std::to_string(sentinel_port)};
  assert_refused(options, "sentinel 127.0.0.2");
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  authority = std::make_unique<Authority>();
  authority->sign("right", "DNS:localhost,IP:127.0.0.1");
  authority->sign("named", "DNS:localhost");
  authority->sign("numbered", "IP:127.0.0.1");
  authority->sign("client", "DNS:client");
  const CMUnitTest tests[] = {
      cmocka_unit_test(any_bytes_arrive_in_any_amount),
      cmocka_unit_test(a_lost_connection_is_made_again),
      cmocka_unit_test(the_certificate_must_be_for_the_server),
      cmocka_unit_test(the_authority_must_be_believed),
      cmocka_unit_test(redis_may_want_a_certificate_of_ours),
      cmocka_unit_test(a_key_must_fit_its_certificate),
      cmocka_unit_test(a_redis_without_tls_is_told),
      cmocka_unit_test(the_sentinels_speak_tls_too),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  authority.reset();
  return failed;
}
