// Redis by a host name. The names come from a hosts file of the test's own, laid over the system's
// in a mount namespace; where that is not permitted the tests are skipped.
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "tests/lib/redis_server.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::Reply;
using signalbox::test::Client;
using signalbox::test::free_port;
using signalbox::test::RedisServer;
using signalbox::test::run_for;

bool names_are_ours = false;

bool lay_hosts_file(std::string_view content) {
  char path[] = "/tmp/signalbox-hosts-XXXXXX";
  const int fd = mkstemp(path);
  if (fd < 0) return false;
  const bool laid = write(fd, content.data(), content.size()) == ssize_t(content.size()) &&
                    unshare(CLONE_NEWNS) == 0 &&
                    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    mount(path, "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
  close(fd);
  unlink(path);
  return laid;
}

Options patient(const std::string& host, int port) {
  Options options;
  options.redis_url = "redis://" + host + ":" + std::to_string(port);
  options.redis_connect_timeout = 60000;
  options.redis_command_timeout = 60000;
  return options;
}

void each_address_is_tried_before_anyone_hears_of_a_failure(void**) {
  if (!names_are_ours) skip();
  const int port = free_port();
  RedisServer server({"--port", std::to_string(port), "--bind", "127.0.0.2"});
  for (const std::string host : {"ascending", "descending"}) {
    Loop loop;
    Client client(loop, patient(host, port));
    assert_string_equal(client.text({"PING"}).c_str(), "PONG");
    assert_string_equal(client.redis->host().c_str(), host.c_str());
    assert_int_equal(client.redis->port(), port);
  }
}

void when_no_address_answers_it_is_told_once(void**) {
  if (!names_are_ours) skip();
  Loop loop;
  Client client(loop, patient("ascending", free_port()));
  assert_true(client.call({"PING"}).type == Reply::Type::kUnavailable);
  assert_int_equal(client.lines.size(), 1);
}

void a_name_that_cannot_be_one_is_told(void**) {
  Loop loop;
  Client client(loop, patient("two..dots", 1));
  const Reply reply = client.call({"PING"});
  assert_true(reply.type == Reply::Type::kUnavailable);
  assert_false(reply.text.empty());
}

void destruction_while_resolving_leaves_nothing_behind(void**) {
  for (const std::string host : {"localhost", "two..dots"}) {
    Loop loop;
    Client client(loop, patient(host, 1));
    client.send({"PING"});
    loop.turn(0);  // begins the look-up
    client.redis.reset();
    assert_int_equal(client.replies.size(), 1);
    run_for(loop, 50);
    assert_int_equal(client.replies.size(), 1);
  }
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  names_are_ours = lay_hosts_file(
      "127.0.0.1 localhost ascending\n127.0.0.2 ascending\n"
      "127.0.0.2 descending\n127.0.0.1 descending\n");
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_address_is_tried_before_anyone_hears_of_a_failure),
      cmocka_unit_test(when_no_address_answers_it_is_told_once),
      cmocka_unit_test(a_name_that_cannot_be_one_is_told),
      cmocka_unit_test(destruction_while_resolving_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
