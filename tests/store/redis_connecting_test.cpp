// What happens while Redis is away, slow, strange or going.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/store/redis.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/stopwatch.h"
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
using signalbox::test::run_until;
using signalbox::test::Stopwatch;

// Far above what "promptly" takes, far below the timeouts where those must not be what helps.
constexpr uint64_t kPromptMs = 5000;

Options patient(const std::string& url) {
  Options options;
  options.redis_url = url;
  options.redis_connect_timeout = 60000;
  options.redis_command_timeout = 60000;
  return options;
}

bool unavailable(const Reply& reply) {
  return reply.type == Reply::Type::kUnavailable && !reply.text.empty();
}

std::string tcp_url(int port) {
  return "redis://127.0.0.1:" + std::to_string(port);
}

bool logged(const Client& client, const std::string& part) {
  for (const std::string& line : client.lines) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

void commands_wait_for_the_first_connection(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, patient(server.url()));
  assert_false(client.redis->connected());
  for (int i = 0; i < 10; ++i) client.send({"PING"});
  assert_int_equal(client.redis->health().pending, 10);
  run_until(loop, [&] { return client.replies.size() == 10; });
  for (const Reply& reply : client.replies) assert_string_equal(reply.text.c_str(), "PONG");
  assert_true(client.redis->connected());
  assert_int_equal(client.redis->health().reconnects, 0);
}

void a_refused_tcp_connection_is_told(void**) {
  Loop loop;
  Client client(loop, patient(tcp_url(free_port())));
  const Stopwatch watch;
  assert_true(unavailable(client.call({"PING"})));
  assert_took(watch, 0, kPromptMs);
  assert_false(client.redis->connected());
  assert_true(logged(client, "refused"));
}

void a_missing_socket_is_told(void**) {
  Loop loop;
  Client client(loop, patient("unix:///nonexistent/redis.sock"));
  const Stopwatch watch;
  assert_true(unavailable(client.call({"PING"})));
  assert_took(watch, 0, kPromptMs);
}

void descriptors_are_kept_from_children_and_kept_alive(void**) {
  const int port = free_port();
  RedisServer server({"--port", std::to_string(port), "--bind", "127.0.0.1"});
  Loop loop;
  Client client(loop, tcp_url(port));
  client.wait_until_connected();
  int sockets = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    int domain = 0;
    int alive = 0;
    socklen_t size = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_INET) continue;
    ++sockets;
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &alive, &size), 0);
    assert_int_equal(alive, 1);
  }
  assert_int_equal(sockets, 1);
}

void a_killed_redis_is_told_and_found_again(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, patient(server.url()));
  for (int round = 1; round <= 3; ++round) {
    client.wait_until_connected();
    server.pause();  // so that the commands are without a reply when it dies
    client.replies.clear();
    for (int i = 0; i < 20; ++i) client.send({"PING"});
    run_for(loop, 20);
    assert_int_equal(client.replies.size(), 0);

    const Stopwatch watch;
    server.kill();
    run_until(loop, [&] { return client.replies.size() == 20; });
    for (const Reply& reply : client.replies) assert_true(unavailable(reply));
    assert_false(client.redis->connected());

    assert_true(unavailable(client.call({"PING"})));  // refused, it does not wait
    assert_took(watch, 0, kPromptMs);

    server.start();
    client.wait_until_connected();
    assert_string_equal(client.text({"PING"}).c_str(), "PONG");
    assert_int_equal(client.redis->health().reconnects, round);
  }
  assert_int_equal(client.redis->health().timeouts, 0);
}

void a_command_into_a_closed_connection_is_told(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, patient(server.url()));
  client.wait_until_connected();
  server.kill();
  client.send({"PING"});  // in the turn in which nobody has noticed yet
  run_until(loop, [&] { return client.replies.size() == 1; });
  assert_true(unavailable(client.replies[0]));
}

void a_hanging_redis_is_given_up_in_time(void**) {
  RedisServer server;
  Loop loop;
  Options options = patient(server.url());
  options.redis_command_timeout = 500;
  options.redis_connect_timeout = 300;
  Client client(loop, options);
  client.wait_until_connected();
  server.pause();
  loop.turn(0);  // so that its time is the clock's

  const Stopwatch watch;
  for (int i = 0; i < 5; ++i) client.send({"PING"});
  run_until(loop, [&] { return client.replies.size() == 5; });
  assert_took(watch, 490, 3000);
  for (const Reply& reply : client.replies) assert_true(unavailable(reply));
  assert_int_equal(client.redis->health().timeouts, 1);

  // The kernel goes on accepting for it; that must not pass for a connection.
  for (int i = 0; i < 20; ++i) {
    run_for(loop, 50);
    assert_false(client.redis->connected());
  }
  const Stopwatch again;
  assert_true(unavailable(client.call({"PING"})));
  assert_took(again, 0, 400);

  server.resume();
  client.wait_until_connected();
  assert_string_equal(client.text({"PING"}).c_str(), "PONG");
}

void a_deadline_is_each_commands_own(void**) {
  RedisServer server;
  Loop loop;
  Options options = patient(server.url());
  options.redis_command_timeout = 1000;
  Client client(loop, options);
  client.wait_until_connected();
  // Together they take longer than one may.
  const Stopwatch watch;
  while (watch.elapsed_ms() < 1500) {
    const Reply reply = client.call({"BLPOP", "nothing", "0.2"});
    assert_true(reply.type == Reply::Type::kNil);
  }
  assert_int_equal(client.redis->health().timeouts, 0);
}

void a_first_connection_that_hangs_is_given_up(void**) {
  RedisServer server;
  server.pause();
  Loop loop;
  Options options = patient(server.url());
  options.redis_connect_timeout = 150;
  Client client(loop, options);
  const Stopwatch watch;
  assert_true(unavailable(client.call({"PING"})));
  assert_took(watch, 140, 1500);
  assert_true(logged(client, "not ready within 150 ms"));
}

void a_command_waits_for_the_first_connection_no_longer_than_its_deadline(void**) {
  RedisServer server;
  server.pause();
  Loop loop;
  Options options = patient(server.url());
  options.redis_command_timeout = 150;
  Client client(loop, options);
  const Stopwatch watch;
  assert_true(unavailable(client.call({"PING"})));
  assert_took(watch, 140, 1500);
  server.resume();
  client.wait_until_connected();
  assert_string_equal(client.text({"PING"}).c_str(), "PONG");
}

void no_more_commands_wait_than_allowed(void**) {
  RedisServer server;
  Loop loop;
  Options options = patient(server.url());
  options.redis_max_pending = 3;
  Client client(loop, options);
  client.wait_until_connected();
  server.pause();
  for (int i = 0; i < 5; ++i) client.send({"PING"});
  assert_int_equal(client.redis->health().pending, 3);
  run_until(loop, [&] { return client.replies.size() == 2; });
  assert_true(unavailable(client.replies[0]));
  assert_true(unavailable(client.replies[1]));
  assert_true(client.redis->connected());
  server.resume();
  run_until(loop, [&] { return client.replies.size() == 5; });
  for (size_t i = 2; i < 5; ++i) assert_string_equal(client.replies[i].text.c_str(), "PONG");
  assert_string_equal(client.text({"PING"}).c_str(), "PONG");
}

void destruction_answers_what_is_pending(void**) {
  RedisServer server;
  for (const bool connected : {false, true}) {
    Loop loop;
    Client client(loop, patient(server.url()));
    if (connected) client.wait_until_connected();
    server.pause();
    for (int i = 0; i < 7; ++i) client.send({"PING"});
    if (connected) loop.turn(0);
    client.redis.reset();
    assert_int_equal(client.replies.size(), 7);
    for (const Reply& reply : client.replies) assert_true(unavailable(reply));
    server.resume();
    run_for(loop, 20);
    assert_int_equal(client.replies.size(), 7);
  }
}

void destruction_answers_what_was_refused(void**) {
  Loop loop;
  Client client(loop, patient(tcp_url(free_port())));
  assert_true(unavailable(client.call({"PING"})));
  client.send({"PING"});
  client.redis.reset();
  assert_int_equal(client.replies.size(), 1);
  run_for(loop, 20);
  assert_int_equal(client.replies.size(), 1);
}

// Destroys the client's Redis inside the first of five answers; what becomes of the answers?
void destroy_inside_an_answer(Client& client) {
  size_t answered_then = 0;
  client.send({"PING"}, [&](const Reply&) {
    client.redis.reset();
    answered_then = client.replies.size();
  });
  for (int i = 0; i < 4; ++i) client.send({"PING"});
  run_until(client.loop, [&] { return client.redis == nullptr; });
  assert_int_equal(answered_then, 5);
  run_for(client.loop, 20);
  assert_int_equal(client.replies.size(), 5);
}

void redis_may_be_destroyed_inside_an_answer(void**) {
  RedisServer server;
  {
    Loop loop;
    Client client(loop, patient(server.url()));
    destroy_inside_an_answer(client);
    assert_string_equal(client.replies[0].text.c_str(), "PONG");
  }
  {
    Loop loop;
    Client client(loop, patient(tcp_url(free_port())));  // inside the failure of an attempt
    destroy_inside_an_answer(client);
  }
  {
    Loop loop;
    Options options = patient(server.url());
    options.redis_command_timeout = 50;
    Client client(loop, options);
    client.wait_until_connected();
    server.pause();
    destroy_inside_an_answer(client);  // inside a deadline
  }
  server.resume();
  {
    Loop loop;
    Client client(loop, patient(server.url()));
    client.wait_until_connected();
    server.kill();
    destroy_inside_an_answer(client);  // inside the loss of the connection
  }
}

void a_command_sent_from_a_failure_fails_in_a_later_turn(void**) {
  Loop loop;
  Client client(loop, patient(tcp_url(free_port())));
  size_t nested = 0;
  std::function<void(const Reply&)> again = [&](const Reply&) {
    if (++nested < 50) client.send({"PING"}, again);
  };
  client.send({"PING"}, again);
  run_until(loop, [&] { return nested == 50; });
  assert_int_equal(client.replies.size(), 50);
}

void the_login_is_made_and_stays_secret(void**) {
  const int port = free_port();
  RedisServer server(
      {"--port", std::to_string(port), "--bind", "127.0.0.1", "--requirepass", "pass:/@word"});
  const std::string at = "@127.0.0.1:" + std::to_string(port);
  Loop loop;
  Client default_user(loop, patient("redis://:pass:%2f@word" + at));
  assert_string_equal(default_user.text({"ACL", "WHOAMI"}).c_str(), "default");
  default_user.text({"ACL", "SETUSER", "robot", "on", ">secret~1", "~*", "+@all"});
  Client named(loop, patient("redis://robot:secret~1" + at + "/2"));
  assert_string_equal(named.text({"ACL", "WHOAMI"}).c_str(), "robot");

  for (const std::string login : {"robot:secret~2", ":secret~2"}) {
    Client wrong(loop, patient("redis://" + login + at));
    assert_true(unavailable(wrong.call({"PING"})));
    assert_false(wrong.redis->connected());
    assert_true(logged(wrong, "AUTH: "));
    assert_false(logged(wrong, "secret"));
  }
  Client without(loop, patient(tcp_url(port)));
  assert_true(unavailable(without.call({"PING"})));
  assert_true(logged(without, "NOAUTH"));
}

void a_redis_without_room_for_us_is_waited_for(void**) {
  RedisServer server;
  Loop loop;
  auto first = std::make_unique<Client>(loop, patient(server.url()));
  assert_string_equal(first->text({"CONFIG", "SET", "maxclients", "1"}).c_str(), "OK");
  Client second(loop, patient(server.url()));
  assert_true(unavailable(second.call({"PING"})));
  assert_true(logged(second, "cannot connect"));  // why, is not always there to be read
  first.reset();
  second.wait_until_connected();
}

void a_server_that_is_no_redis_is_told(void**) {
  const std::string path = "/tmp/signalbox-no-redis-" + std::to_string(getpid());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct {
    sa_family_t family = AF_UNIX;
    char path[108] = {};
  } address;
  path.copy(address.path, sizeof(address.path) - 1);
  unlink(path.c_str());
  assert_int_equal(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  assert_int_equal(listen(listener, 1), 0);
  std::thread answering([listener] {
    const int fd = accept(listener, nullptr, nullptr);
    char byte;
    if (read(fd, &byte, 1) == 1) (void)!write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    close(fd);
  });
  Loop loop;
  Client client(loop, patient("unix://" + path));
  const Reply reply = client.call({"PING"});
  answering.join();
  close(listener);
  unlink(path.c_str());
  assert_true(unavailable(reply));
  assert_false(client.redis->connected());
}

void changes_of_the_connection_are_told(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, patient(server.url()));
  std::vector<std::pair<bool, size_t>> changes;  // to what, and after how many replies
  bool consistent = true;
  client.redis->set_on_state([&](bool connected) {
    consistent = consistent && connected == client.redis->connected();
    changes.emplace_back(connected, client.replies.size());
    if (connected) client.send({"ECHO", "from the callback"});
  });
  client.send({"ECHO", "before"});
  run_until(loop, [&] { return client.replies.size() == 2; });
  assert_string_equal(client.replies[0].text.c_str(), "before");
  assert_string_equal(client.replies[1].text.c_str(), "from the callback");
  server.pause();
  for (int i = 0; i < 3; ++i) client.send({"PING"});
  server.kill();
  run_until(loop, [&] { return changes.size() == 2; });
  run_for(loop, 200);  // attempts fail meanwhile
  server.start();
  run_until(loop, [&] { return changes.size() == 3; });
  client.redis->close();
  run_for(loop, 50);
  const std::vector<std::pair<bool, size_t>> expected = {{true, 0}, {false, 5}, {true, 5}};
  assert_true(changes == expected);
  assert_true(consistent);
}

void a_hanging_redis_is_told_as_a_change(void**) {
  RedisServer server;
  Loop loop;
  Options options = patient(server.url());
  options.redis_command_timeout = 100;
  Client client(loop, options);
  client.wait_until_connected();
  std::vector<std::pair<bool, size_t>> changes;
  client.redis->set_on_state(
      [&](bool connected) { changes.emplace_back(connected, client.replies.size()); });
  server.pause();
  for (int i = 0; i < 3; ++i) client.send({"PING"});
  run_until(loop, [&] { return !changes.empty(); });
  server.resume();
  client.wait_until_connected();
  const std::vector<std::pair<bool, size_t>> expected = {{false, 3}, {true, 3}};
  assert_true(changes == expected);
}

void redis_may_be_destroyed_when_it_tells_a_change(void**) {
  RedisServer server;
  for (const bool at_connection : {true, false}) {
    Loop loop;
    Client client(loop, patient(server.url()));
    if (!at_connection) client.wait_until_connected();
    client.redis->set_on_state([&](bool) { client.redis.reset(); });
    client.send({"PING"});
    if (!at_connection) server.kill();
    run_until(loop, [&] { return client.redis == nullptr; });
    run_for(loop, 20);
    assert_int_equal(client.replies.size(), 1);
  }
}

void a_redis_that_is_no_master_is_left(void**) {
  RedisServer server;
  Loop loop;
  const std::vector<std::string> errors = {
      "READONLY You can't write against a read only replica.",
      "MASTERDOWN Link with MASTER is down",
      "LOADING Redis is loading the dataset in memory",
      "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: "
      "-READONLY You can't write against a read only replica.",
  };
  for (const std::string& error : errors) {
    Client client(loop, patient(server.url()));
    client.wait_until_connected();
    std::vector<bool> changes;
    client.redis->set_on_state([&](bool connected) { changes.push_back(connected); });
    client.send({"PING"});
    client.send({"EVAL", "return redis.error_reply(ARGV[1])", "0", error});
    // Behind the error, and too long for it to be answered with it.
    client.send({"BLPOP", "nothing", "30"});
    run_until(loop, [&] { return client.replies.size() == 3; });
    assert_string_equal(client.replies[0].text.c_str(), "PONG");
    assert_true(client.replies[1].type == Reply::Type::kError);
    assert_string_equal(client.replies[1].text.c_str(), error.c_str());
    assert_true(unavailable(client.replies[2]));
    client.wait_until_connected();
    assert_true(changes == (std::vector<bool>{false, true}));
    assert_string_equal(client.text({"PING"}).c_str(), "PONG");
  }
  Client client(loop, patient(server.url()));
  for (const std::string error : {"ERR value is -READONLY ", "OOM command not allowed"}) {
    client.call({"EVAL", "return redis.error_reply(ARGV[1])", "0", error});
    assert_true(client.redis->connected());
  }
}

void a_replica_is_not_asked_again_at_once(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, patient(server.url()));
  client.text({"REPLICAOF", "127.0.0.1", std::to_string(free_port())});
  // Each connection is let in, and each is of no use.
  client.redis->set_on_state([&](bool connected) {
    if (connected) client.send({"SET", "key", "value"});
  });
  client.send({"SET", "key", "value"});
  run_for(loop, 1000);
  assert_in_range(client.redis->health().reconnects, 2, 6);
  assert_string_equal(client.replies[0].text.substr(0, 8).c_str(), "READONLY");
}

void after_a_long_connection_a_loss_is_mended_at_once(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, patient(server.url()));
  client.wait_until_connected();
  server.kill();
  run_for(loop, 1500);  // by now attempts are far apart
  server.start();
  client.wait_until_connected();
  run_for(loop, 2100);
  server.kill();
  run_until(loop, [&] { return !client.redis->connected(); });
  server.start();
  const Stopwatch watch;
  client.wait_until_connected();
  assert_took(watch, 0, 400);
}

void a_long_outage_is_logged_once(void**) {
  Loop loop;
  const Options options = patient(tcp_url(free_port()));
  Client client(loop, options);
  std::vector<std::string> warnings;
  signalbox::Log log(signalbox::LogLevel::kWarning,
                     [&](signalbox::LogLevel, const std::string& l) { warnings.push_back(l); });
  signalbox::Counters counters;
  signalbox::store::Redis redis(loop, log, options, counters);
  redis.connect();
  run_for(loop, 600);
  assert_int_equal(warnings.size(), 1);
  // Attempts go on behind the one warning, each after a longer wait.
  assert_in_range(client.lines.size(), 3, 8);
}

void within_a_lease_there_are_several_attempts(void**) {
  Loop loop;
  Options options = patient(tcp_url(free_port()));
  options.node_ttl = 1000;
  const Client client(loop, options);
  run_for(loop, 3000);
  assert_in_range(client.lines.size(), 11, 25);  // 7 or 8 with waits that may become 2 s
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  const CMUnitTest tests[] = {
      cmocka_unit_test(commands_wait_for_the_first_connection),
      cmocka_unit_test(a_refused_tcp_connection_is_told),
      cmocka_unit_test(a_missing_socket_is_told),
      cmocka_unit_test(descriptors_are_kept_from_children_and_kept_alive),
      cmocka_unit_test(a_killed_redis_is_told_and_found_again),
      cmocka_unit_test(a_command_into_a_closed_connection_is_told),
      cmocka_unit_test(a_hanging_redis_is_given_up_in_time),
      cmocka_unit_test(a_deadline_is_each_commands_own),
      cmocka_unit_test(a_first_connection_that_hangs_is_given_up),
      cmocka_unit_test(a_command_waits_for_the_first_connection_no_longer_than_its_deadline),
      cmocka_unit_test(no_more_commands_wait_than_allowed),
      cmocka_unit_test(destruction_answers_what_is_pending),
      cmocka_unit_test(destruction_answers_what_was_refused),
      cmocka_unit_test(redis_may_be_destroyed_inside_an_answer),
      cmocka_unit_test(a_command_sent_from_a_failure_fails_in_a_later_turn),
      cmocka_unit_test(the_login_is_made_and_stays_secret),
      cmocka_unit_test(a_redis_without_room_for_us_is_waited_for),
      cmocka_unit_test(a_server_that_is_no_redis_is_told),
      cmocka_unit_test(changes_of_the_connection_are_told),
      cmocka_unit_test(a_hanging_redis_is_told_as_a_change),
      cmocka_unit_test(redis_may_be_destroyed_when_it_tells_a_change),
      cmocka_unit_test(a_redis_that_is_no_master_is_left),
      cmocka_unit_test(a_replica_is_not_asked_again_at_once),
      cmocka_unit_test(after_a_long_connection_a_loss_is_mended_at_once),
      cmocka_unit_test(a_long_outage_is_logged_once),
      cmocka_unit_test(within_a_lease_there_are_several_attempts),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
