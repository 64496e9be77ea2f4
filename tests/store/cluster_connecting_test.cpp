// How an engine gets into touch with a cluster, and how it takes its leave.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/cluster_slots.h"
#include "engine/store/commands.h"
#include "engine/store/redis_options.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/client.h"
#include "tests/store/cluster_servers.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::key_slot;
using signalbox::store::Reply;
using signalbox::store::validate_redis_options;
using signalbox::test::Client;
using signalbox::test::ClusterServers;
using signalbox::test::free_port;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;

constexpr uint64_t kPromptMs = 5000;

std::unique_ptr<ClusterServers> cluster;

bool unavailable(const Reply& reply) {
  return reply.type == Reply::Type::kUnavailable && !reply.text.empty();
}

bool logged(const Client& client, const std::string& part) {
  return std::any_of(client.lines.begin(), client.lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

Options patient(const std::string& url) {
  Options options;
  options.redis_cluster = true;
  options.redis_url = url;
  options.redis_connect_timeout = 60000;
  options.redis_command_timeout = 60000;
  return options;
}

std::string tcp_url(int port) {
  return "redis://127.0.0.1:" + std::to_string(port);
}

std::string key_of(int slot) {
  for (int i = 0;; ++i) {
    std::string key = "of a slot " + std::to_string(i);
    if (key_slot(key) == slot) return key;
  }
}

// A key of the node's, in the beginning.
std::string key_at(size_t node, const std::string& prefix = "key") {
  for (int i = 0;; ++i) {
    std::string key = prefix + std::to_string(i);
    if (cluster->owner(key_slot(key)) == node) return key;
  }
}

void call_each_node(Client& client) {
  for (size_t node = 0; node < 3; ++node) client.integer({"INCR", key_at(node)});
}

void only_database_0_is_accepted(void**) {
  Options options;
  options.redis_cluster = true;
  for (const char* url : {"redis://:secret@h:1", "redis://:secret@h/0", "unix:///s?db=0"}) {
    options.redis_url = url;
    assert_true(validate_redis_options(options).ok());
  }
  for (const char* url : {"redis://:secret@h:1/3", "unix:///s?db=3"}) {
    options.redis_url = url;
    options.redis_cluster = true;
    const auto status = validate_redis_options(options);
    assert_false(status.ok());
    assert_true(status.text().find("redis.url") != std::string::npos);
    assert_true(status.text().find("database 0") != std::string::npos);
    assert_true(status.text().find("secret") == std::string::npos);
    options.redis_cluster = false;
    assert_true(validate_redis_options(options).ok());
  }
  options.redis_url = "http://x";
  assert_false(validate_redis_options(options).ok());
}

void nobody_there_is_told(void**) {
  Loop loop;
  Client client(loop, patient(tcp_url(free_port())));
  const Stopwatch watch;
  for (int i = 0; i < 3; ++i) client.send({"GET", "key"});
  run_until(loop, [&] { return client.replies.size() == 3; });
  for (const Reply& reply : client.replies) assert_true(unavailable(reply));
  client.send({"GET", "key"});
  assert_int_equal(client.redis->health().pending, 0);  // refused, it does not wait
  run_until(loop, [&] { return client.replies.size() == 4; });
  assert_true(unavailable(client.replies[3]));
  assert_took(watch, 0, kPromptMs);
  assert_false(client.redis->connected());
}

void a_seed_that_hangs_is_waited_for_no_longer_than_the_deadline(void**) {
  const int port = free_port();
  RedisServer server({"--port", std::to_string(port)});
  server.pause();
  Loop loop;
  Options options = patient(tcp_url(port));
  options.redis_command_timeout = 300;
  Client client(loop, options);
  const Stopwatch watch;
  assert_true(unavailable(client.call({"GET", "key"})));
  assert_took(watch, 290, 1500);
}

void a_redis_that_is_no_cluster_is_told(void**) {
  {
    RedisServer server;
    Loop loop;
    Client client(loop, patient(server.url()));
    assert_true(unavailable(client.call({"GET", "key"})));
    assert_true(logged(client,
                       "error=\"ERR This instance has cluster support "
                       "disabled"));
    assert_false(client.redis->connected());
  }
  {
    RedisServer server({"--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port())});
    Loop loop;
    Client client(loop, patient(server.url()));
    assert_true(unavailable(client.call({"GET", "key"})));
    assert_true(logged(client, "it has no slots"));
  }
}

void the_login_of_the_seed_is_that_of_all(void**) {
  for (size_t node = 0; node < 3; ++node) {
    cluster->change(node, {"ACL", "SETUSER", "robot", "on", ">pass:@word/", "~*", "+@all"});
    cluster->change(node, {"ACL", "SETUSER", "default", "-incr"});
  }
  const std::string at = "@127.0.0.1:" + std::to_string(cluster->nodes[0].port);
  {
    Loop loop;
    Client client(loop, patient("redis://robot:pass:@word%2f" + at + "/0"));
    call_each_node(client);
    Client other(loop, patient(cluster->url(0)));
    assert_true(other.call({"INCR", key_at(1)}).text.starts_with("NOPERM"));
    Client wrong(loop, patient("redis://robot:wrong" + at));
    assert_true(unavailable(wrong.call({"GET", "key"})));
    assert_false(wrong.redis->connected());
    assert_false(logged(wrong, "wrong"));
  }
  for (size_t node = 0; node < 3; ++node) {
    cluster->change(node, {"ACL", "SETUSER", "default", "+incr"});
  }
}

// The engine reaches the nodes under another address than they have for each other.
void nodes_that_do_not_tell_their_host_are_where_the_seed_is(void**) {
  for (size_t node = 0; node < 3; ++node) {
    cluster->change(node, {"CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint"});
  }
  int slot = 17;
  for (const std::string& url : {cluster->url(0), cluster->server(1).url(),
                                 "redis://localhost:" + std::to_string(cluster->nodes[2].port)}) {
    Loop loop;
    Client client(loop, patient(url));
    call_each_node(client);
    cluster->move_slot(slot, 1);
    assert_true(client.call({"GET", key_of(slot)}).type == Reply::Type::kNil);
    ++slot;
  }
  for (size_t node = 0; node < 3; ++node) {
    cluster->change(node, {"CONFIG", "SET", "cluster-preferred-endpoint-type", "ip"});
  }
}

void nodes_can_have_names(void**) {
  for (size_t node = 0; node < 3; ++node) {
    cluster->change(node, {"CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname"});
    // One has none; it is then known by its address.
    if (node < 2)
      cluster->change(node, {"CONFIG", "SET", "cluster-announce-hostname", "localhost"});
  }
  Loop loop;
  const auto known = [](size_t node) {
    const std::string text = cluster->admin(node, {"CLUSTER", "NODES"}).text;
    const size_t first = text.find(",localhost");
    return first != std::string::npos && text.find(",localhost", first + 1) != std::string::npos;
  };
  for (size_t node = 0; node < 3; ++node) {
    while (!known(node)) run_for(loop, 20);
  }
  {
    Client client(loop, patient(cluster->url(0)));
    call_each_node(client);
  }
  for (size_t node = 0; node < 3; ++node) {
    cluster->change(node, {"CONFIG", "SET", "cluster-preferred-endpoint-type", "ip"});
    cluster->change(node, {"CONFIG", "SET", "cluster-announce-hostname", ""});
  }
}

struct Paused {
  Paused() {
    for (size_t node = 0; node < 3; ++node) cluster->server(node).pause();
  }
  ~Paused() {
    for (size_t node = 0; node < 3; ++node) cluster->server(node).resume();
  }
};

void send_to_each_node(Client& client, int times) {
  for (int i = 0; i < times; ++i) {
    for (size_t node = 0; node < 3; ++node) client.send({"GET", key_at(node)});
  }
}

void destruction_answers_what_is_pending(void**) {
  for (const bool connected : {false, true}) {
    Loop loop;
    Client client(loop, patient(cluster->url(0)));
    if (connected) client.wait_until_connected();
    if (connected) call_each_node(client);
    const Paused paused;
    send_to_each_node(client, 5);
    loop.turn(0);
    client.redis.reset();
    assert_int_equal(client.replies.size(), 15);
    for (const Reply& reply : client.replies) assert_true(unavailable(reply));
    run_for(loop, 20);
    assert_int_equal(client.replies.size(), 15);
  }
}

void destruction_answers_what_waits_for_the_cluster(void**) {
  Loop loop;
  Client client(loop, patient(cluster->url(0)));
  client.wait_until_connected();
  const std::string tag = "{" + key_at(0, "apart") + "}";
  client.text({"MSET", "1" + tag, "a", "2" + tag, "b"});
  cluster->migrate(key_slot(tag), 1, {"1" + tag});
  cluster->reset_stats();
  for (int i = 0; i < 5; ++i) client.send({"MGET", "1" + tag, "2" + tag});
  run_until(loop, [] { return cluster->stats("errorstats", "errorstat_TRYAGAIN:count=") >= 5; });
  run_for(loop, 20);
  client.redis.reset();
  assert_int_equal(client.replies.size(), 5);
  for (const Reply& reply : client.replies) assert_true(unavailable(reply));
  cluster->migrate(key_slot(tag), 1, {"2" + tag});
}

void what_answers_send_during_destruction_is_refused(void**) {
  Loop loop;
  Client client(loop, patient(cluster->url(0)));
  call_each_node(client);
  const Paused paused;
  size_t nested = 0;
  for (size_t node = 0; node < 3; ++node) {
    client.send({"GET", key_at(node)},
                [&](const Reply&) { client.send({"PING"}, [&](const Reply&) { ++nested; }); });
  }
  client.redis->close();
  assert_int_equal(nested, 3);
  client.send({"PING"});
  assert_int_equal(client.replies.size(), 6);
  run_until(loop, [&] { return client.replies.size() == 7; });
  for (const Reply& reply : client.replies) assert_true(unavailable(reply));
  assert_false(client.redis->connected());
}

// Destroys the client's Redis inside the first of many answers; what becomes of the answers?
void destroy_inside_an_answer(Client& client) {
  bool destroyed = false;
  size_t answered_then = 0;
  const auto destroy = [&](const Reply&) {
    if (std::exchange(destroyed, true)) return;
    client.redis.reset();
    answered_then = client.replies.size();
  };
  for (int i = 0; i < 3; ++i) {
    for (size_t node = 0; node < 3; ++node) client.send({"GET", key_at(node)}, destroy);
  }
  run_until(client.loop, [&] { return client.redis == nullptr; });
  assert_int_equal(answered_then, 9);
  run_for(client.loop, 20);
  assert_int_equal(client.replies.size(), 9);
}

void it_may_be_destroyed_inside_an_answer(void**) {
  {
    Loop loop;
    Client client(loop, patient(cluster->url(0)));
    destroy_inside_an_answer(client);
    assert_true(client.replies[0].type == Reply::Type::kText);
  }
  {
    Loop loop;
    Client client(loop, patient(tcp_url(free_port())));  // inside the failure of an attempt
    destroy_inside_an_answer(client);
  }
  {
    Loop loop;
    Options options = patient(cluster->url(0));
    options.redis_command_timeout = 200;
    Client client(loop, options);
    call_each_node(client);
    const Paused paused;
    destroy_inside_an_answer(client);  // inside a deadline
  }
  {
    Loop loop;
    Options options = patient(cluster->url(0));
    options.redis_max_pending = 1;
    Client client(loop, options);
    call_each_node(client);
    destroy_inside_an_answer(client);  // inside a refusal
  }
}

void it_may_be_destroyed_when_told_the_state(void**) {
  Loop loop;
  Client client(loop, patient(cluster->url(0)));
  client.redis->set_on_state([&](bool) { client.redis.reset(); });
  send_to_each_node(client, 3);
  run_until(loop, [&] { return client.redis == nullptr; });
  assert_int_equal(client.replies.size(), 9);
  run_for(loop, 20);
  assert_int_equal(client.replies.size(), 9);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  cluster = std::make_unique<ClusterServers>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(only_database_0_is_accepted),
      cmocka_unit_test(nobody_there_is_told),
      cmocka_unit_test(a_seed_that_hangs_is_waited_for_no_longer_than_the_deadline),
      cmocka_unit_test(a_redis_that_is_no_cluster_is_told),
      cmocka_unit_test(the_login_of_the_seed_is_that_of_all),
      cmocka_unit_test(nodes_that_do_not_tell_their_host_are_where_the_seed_is),
      cmocka_unit_test(nodes_can_have_names),
      cmocka_unit_test(destruction_answers_what_is_pending),
      cmocka_unit_test(destruction_answers_what_waits_for_the_cluster),
      cmocka_unit_test(what_answers_send_during_destruction_is_refused),
      cmocka_unit_test(it_may_be_destroyed_inside_an_answer),
      cmocka_unit_test(it_may_be_destroyed_when_told_the_state),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  cluster.reset();
  return failed;
}
