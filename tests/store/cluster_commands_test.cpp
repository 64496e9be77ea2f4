// Commands and scripts to a cluster in order, and to one that is being changed.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/cluster_slots.h"
#include "engine/store/commands.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/client.h"
#include "tests/store/cluster_servers.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::key_slot;
using signalbox::store::kSlots;
using signalbox::store::Reply;
using signalbox::store::Script;
using signalbox::test::await;
using signalbox::test::Client;
using signalbox::test::ClusterServers;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;

std::unique_ptr<ClusterServers> cluster;

// No test changes a slot that another one uses: each takes the next of its first 5000.
int next_slot = 0;

std::string key_of(int slot) {
  for (int i = 0;; ++i) {
    std::string key = "key" + std::to_string(i);
    if (key_slot(key) == slot) return key;
  }
}

bool unavailable(const Reply& reply) {
  return reply.type == Reply::Type::kUnavailable && !reply.text.empty();
}

bool logged(const Client& client, const std::string& part) {
  return std::any_of(client.lines.begin(), client.lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

Options patient(Options options) {
  options.redis_connect_timeout = 60000;
  options.redis_command_timeout = 60000;
  return options;
}

struct Test {
  explicit Test(Options options = patient(cluster->options())) : client(loop, std::move(options)) {
    client.wait_until_connected();
    cluster->reset_stats();
  }
  Reply run(const Script& script, std::vector<std::string> keys,
            std::vector<std::string> arguments) {
    return await<Reply>(loop, [&](std::function<void(Reply)> done) {
      client.redis->script(script, std::move(keys), std::move(arguments), std::move(done));
    });
  }
  Loop loop;
  Client client;
};

void a_command_goes_to_the_owner_of_its_slot(void**) {
  Options options = patient(cluster->options());
  options.redis_max_pending = kSlots;
  Test test(options);
  std::vector<std::string> keys(kSlots);
  size_t found = 0;
  for (int i = 0; found < keys.size(); ++i) {
    const std::string key = "k" + std::to_string(i);
    std::string& of_slot = keys[static_cast<size_t>(key_slot(key))];
    if (of_slot.empty()) ++found;
    of_slot = key;
  }
  for (const std::string& key : keys) test.client.send({"SET", key, key});
  run_until(test.loop, [&] { return test.client.replies.size() == keys.size(); });
  for (const Reply& reply : test.client.replies) assert_string_equal(reply.text.c_str(), "OK");
  assert_int_equal(cluster->stats("errorstats", "errorstat_MOVED:count="), 0);
  for (size_t i = 0; i < 3; ++i) {
    assert_in_range(cluster->admin(i, {"DBSIZE"}).integer, kSlots / 3, kSlots / 3 + 2);
  }
  test.client.replies.clear();
  for (const std::string& key : keys) test.client.send({"GETDEL", key});
  run_until(test.loop, [&] { return test.client.replies.size() == keys.size(); });
  for (const Reply& reply : test.client.replies) {
    assert_int_equal(reply.text.empty(), 0);
  }
  assert_int_equal(test.client.redis->health().pending, 0);
}

void commands_of_a_key_keep_their_order(void**) {
  Test test;
  for (int i = 0; i < 2000; ++i) {
    for (const char* list : {"list1", "list2", "list3"}) {
      test.client.send({"RPUSH", list, std::to_string(i)});
    }
  }
  for (const char* list : {"list1", "list2", "list3"}) {
    const Reply reply = test.client.call({"LRANGE", list, "0", "-1"});
    assert_int_equal(reply.elements.size(), 2000);
    for (size_t i = 0; i < reply.elements.size(); ++i) {
      assert_string_equal(reply.elements[i].text.c_str(), std::to_string(i).c_str());
    }
    test.client.integer({"DEL", list});
  }
}

void keys_with_the_same_tag_are_together(void**) {
  Test test;
  assert_string_equal(test.client.text({"MSET", "a{tag}", "1", "b{tag}", "2"}).c_str(), "OK");
  assert_string_equal(test.client.text({"GET", "b{tag}"}).c_str(), "2");
  const Reply crossing = test.client.call({"MSET", "a", "1", "b", "2"});
  assert_true(crossing.type == Reply::Type::kError);
  assert_true(crossing.text.starts_with("CROSSSLOT"));
}

void a_command_without_a_key_is_answered_by_somebody(void**) {
  Test test;
  for (int i = 0; i < 100; ++i) test.client.send({"PING"});
  run_until(test.loop, [&] { return test.client.replies.size() == 100; });
  for (const Reply& reply : test.client.replies) assert_string_equal(reply.text.c_str(), "PONG");
}

void commands_wait_for_the_first_map(void**) {
  Loop loop;
  Client client(loop, patient(cluster->options()));
  assert_false(client.redis->connected());
  for (int i = 0; i < 10; ++i) client.send({"INCR", "{first}" + std::to_string(i)});
  assert_int_equal(client.redis->health().pending, 10);
  run_until(loop, [&] { return client.replies.size() == 10; });
  for (const Reply& reply : client.replies) assert_int_equal(reply.integer, 1);
  assert_true(client.redis->connected());
}

void any_node_and_a_unix_socket_and_a_name_can_be_the_seed(void**) {
  for (size_t node = 0; node < 3; ++node) {
    Test test(patient(cluster->options(node)));
    test.client.integer({"INCR", "anything"});
  }
  Options options = patient(cluster->options());
  options.redis_url = cluster->server(1).url();
  Test by_socket(options);
  by_socket.client.integer({"INCR", "anything"});
  assert_string_equal(by_socket.client.redis->host().c_str(),
                      cluster->server(1).socket_path().c_str());
  options.redis_url = "redis://localhost:" + std::to_string(cluster->nodes[2].port);
  Test by_name(options);
  by_name.client.integer({"INCR", "anything"});
  assert_string_equal(by_name.client.redis->host().c_str(), "localhost");
  assert_int_equal(by_name.client.redis->port(), cluster->nodes[2].port);
}

void a_moved_slot_is_followed_at_once_and_for_good(void**) {
  Test test;
  const int slot = next_slot++;
  const std::string key = key_of(slot);
  test.client.call({"GET", key});
  cluster->move_slot(slot, 1);
  for (int i = 0; i < 20; ++i) assert_int_equal(test.client.integer({"INCR", key}), i + 1);
  assert_int_equal(cluster->stats("errorstats", "errorstat_MOVED:count="), 1);
}

void one_moved_slot_makes_us_look_at_all(void**) {
  Test test;
  const int slot = next_slot;
  next_slot += 2;
  cluster->move_slot(slot, 1);
  cluster->move_slot(slot + 1, 2);
  test.client.integer({"INCR", key_of(slot)});
  run_until(test.loop, [] { return cluster->stats("commandstats", "cluster|slots:calls=") > 0; });
  test.client.integer({"INCR", key_of(slot + 1)});
  assert_int_equal(cluster->stats("errorstats", "errorstat_MOVED:count="), 1);
}

void many_moved_slots_do_not_make_us_ask_all_the_time(void**) {
  Test test;
  constexpr int kMoved = 30;
  const int slot = next_slot;
  next_slot += kMoved;
  const Stopwatch watch;
  for (int i = 0; i < kMoved; ++i) {
    cluster->move_slot(slot + i, 1);
    test.client.integer({"INCR", key_of(slot + i)});
  }
  run_for(test.loop, 300);
  const auto intervals = static_cast<int64_t>((watch.elapsed_ms()) / 100);
  assert_in_range(cluster->stats("commandstats", "cluster|slots:calls="), 1, intervals + 2);
}

void a_slot_that_is_being_moved_is_asked_for(void**) {
  Test test;
  const int slot = next_slot++;
  const std::string there = key_of(slot);
  const std::string elsewhere = key_of(slot + 6000);
  test.client.text({"SET", there, "moved"});
  test.client.text({"SET", "x{" + there + "}", "stays"});
  cluster->migrate(slot, 1, {there});
  cluster->reset_stats();
  for (int i = 0; i < 10; ++i) {
    // Among others on the same connection.
    test.client.send({"INCR", elsewhere});
    test.client.send({"GET", there});
    test.client.send({"GET", "x{" + there + "}"});
  }
  run_until(test.loop, [&] { return test.client.replies.size() == 30; });
  size_t moved = 0;
  size_t stays = 0;
  for (const Reply& reply : test.client.replies) {
    if (reply.text == "moved") ++moved;
    if (reply.text == "stays") ++stays;
  }
  assert_int_equal(moved, 10);
  assert_int_equal(stays, 10);
  // The slot is still where it was.
  assert_string_equal(test.client.text({"GET", there}).c_str(), "moved");
  assert_string_equal(test.client.text({"GET", "x{" + there + "}"}).c_str(), "stays");
  assert_int_equal(cluster->stat(0, "errorstats", "errorstat_ASK:count="), 11);
  assert_int_equal(cluster->stats("errorstats", "errorstat_MOVED:count="), 0);
  assert_int_equal(cluster->stats("commandstats", "cluster|slots:calls="), 0);

  // A script that the new owner does not know.
  const Script script("return {redis.call('GET', KEYS[1]), ARGV[1]}");
  cluster->change(1, {"SCRIPT", "FLUSH"});
  const Reply reply = test.run(script, {there}, {"argument"});
  assert_int_equal(reply.elements.size(), 2);
  assert_string_equal(reply.elements[0].text.c_str(), "moved");
  assert_string_equal(reply.elements[1].text.c_str(), "argument");
}

void keys_apart_are_waited_for(void**) {
  Test test;
  const int slot = next_slot++;
  const std::string tag = key_of(slot);
  const std::string first = "1{" + tag + "}";
  const std::string second = "2{" + tag + "}";
  test.client.text({"MSET", first, "a", second, "b"});
  cluster->migrate(slot, 1, {first});
  test.client.send({"MGET", first, second});
  run_until(test.loop,
            [] { return cluster->stats("errorstats", "errorstat_TRYAGAIN:count=") > 2; });
  assert_int_equal(test.client.replies.size(), 0);
  cluster->migrate(slot, 1, {second});
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  assert_int_equal(test.client.replies[0].elements.size(), 2);
  assert_string_equal(test.client.replies[0].elements[1].text.c_str(), "b");
}

// Redis cannot tell a key that has not arrived yet from one that does not exist.
void keys_that_do_not_exist_are_waited_for_until_the_slot_has_moved(void**) {
  Test test;
  const int slot = next_slot++;
  const std::string tag = key_of(slot);
  const std::string first = "1{" + tag + "}";
  test.client.text({"SET", first, "a"});
  cluster->migrate(slot, 1, {first});
  cluster->reset_stats();
  test.client.send({"MGET", first, "2{" + tag + "}"});
  run_until(test.loop,
            [] { return cluster->stat(1, "errorstats", "errorstat_TRYAGAIN:count=") > 20; });
  assert_int_equal(test.client.replies.size(), 0);
  cluster->move_slot(slot, 1);
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  assert_int_equal(test.client.replies[0].elements.size(), 2);
  assert_string_equal(test.client.replies[0].elements[0].text.c_str(), "a");
}

void waiting_ends_with_the_deadline(void**) {
  Options options = cluster->options();
  options.redis_command_timeout = 400;
  Test test(options);
  const int slot = next_slot++;
  const std::string tag = key_of(slot);
  test.client.text({"MSET", "1{" + tag + "}", "a", "2{" + tag + "}", "b"});
  cluster->migrate(slot, 1, {"1{" + tag + "}"});
  const Stopwatch watch;
  assert_true(unavailable(test.client.call({"MGET", "1{" + tag + "}", "2{" + tag + "}"})));
  assert_took(watch, 390, 1500);
  assert_int_equal(test.client.redis->health().timeouts, 1);
  assert_int_equal(test.client.redis->health().pending, 0);
  cluster->migrate(slot, 1, {"2{" + tag + "}"});
}

void the_deadline_is_the_same_after_a_redirection(void**) {
  Options options = cluster->options();
  options.redis_command_timeout = 600;
  Test test(options);
  const int slot = next_slot++;
  const std::string tag = key_of(slot);
  test.client.text({"MSET", "1{" + tag + "}", "a", "2{" + tag + "}", "b"});
  cluster->migrate(slot, 1, {"1{" + tag + "}"});
  const Stopwatch watch;
  test.client.send({"MGET", "1{" + tag + "}", "2{" + tag + "}"});
  run_for(test.loop, 300);
  cluster->server(0).pause();
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  cluster->server(0).resume();
  assert_took(watch, 590, 800);
  assert_true(unavailable(test.client.replies[0]));
  test.client.wait_until_connected();
  cluster->migrate(slot, 1, {"2{" + tag + "}"});
}

// Each of two nodes says that the other one has the slot.
void an_endless_redirection_ends(void**) {
  Test test;
  const int slot = next_slot++;
  cluster->change(0, {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", cluster->nodes[1].id});
  cluster->reset_stats();
  const Stopwatch watch;
  assert_true(unavailable(test.client.call({"GET", key_of(slot)})));
  assert_took(watch, 300, 5000);  // with pauses
  assert_in_range(cluster->stats("errorstats", "errorstat_MOVED:count="), 5, 17);
  cluster->move_slot(slot, 1);
}

void a_slot_without_an_owner_is_waited_for(void**) {
  Test test;
  std::vector<bool> states;
  test.loop.turn(0);  // that it is connected is told behind becoming so
  test.client.redis->set_on_state([&](bool connected) { states.push_back(connected); });
  const int slot = next_slot++;
  cluster->change(0, {"CLUSTER", "DELSLOTS", std::to_string(slot)});
  test.client.send({"INCR", key_of(slot)});
  run_until(test.loop, [&] { return !test.client.redis->connected(); });
  assert_int_equal(test.client.replies.size(), 0);
  assert_true(unavailable(test.client.call({"PING"})));
  cluster->change(0, {"CLUSTER", "ADDSLOTS", std::to_string(slot)});
  run_until(test.loop, [&] { return test.client.replies.size() == 1; });
  assert_int_equal(test.client.replies[0].integer, 1);
  test.client.wait_until_connected();
  run_until(test.loop, [&] { return states.size() == 2; });
  assert_false(states[0]);
  assert_true(states[1]);
}

void a_script_is_sent_to_each_node_that_does_not_know_it(void**) {
  Test test;
  const Script script("return redis.call('INCR', KEYS[1])");
  const std::vector<std::string> keys = {key_of(5400), key_of(5500), key_of(16000)};
  for (const std::string& key : keys) assert_int_equal(test.run(script, {key}, {}).integer, 1);
  cluster->change(1, {"SCRIPT", "FLUSH"});
  for (const std::string& key : keys) assert_int_equal(test.run(script, {key}, {}).integer, 2);
  assert_int_equal(cluster->stats("errorstats", "errorstat_NOSCRIPT:count="), 4);
  for (const std::string& key : keys) test.client.integer({"DEL", key});
}

void a_script_follows_a_moved_slot(void**) {
  Test test;
  const Script script("return {KEYS[2], ARGV[1]}");
  const int slot = next_slot++;
  const std::string key = key_of(slot);
  cluster->move_slot(slot, 2);
  const Reply reply = test.run(script, {key, "{" + key + "}"}, {"argument"});
  assert_int_equal(reply.elements.size(), 2);
  assert_string_equal(reply.elements[0].text.c_str(), ("{" + key + "}").c_str());
  assert_string_equal(reply.elements[1].text.c_str(), "argument");
}

void redirections_are_not_logged_and_errors_are(void**) {
  Test test;
  const int slot = next_slot++;
  cluster->move_slot(slot, 1);
  test.client.lines.clear();
  test.client.integer({"INCR", key_of(slot)});
  assert_false(logged(test.client, "MOVED"));
  test.client.lines.clear();
  for (int i = 0; i < 100; ++i) test.client.send({"NONSENSE", "key"});
  run_until(test.loop, [&] { return test.client.replies.size() == 100; });
  const auto told = std::count_if(
      test.client.lines.begin(), test.client.lines.end(), [](const std::string& line) {
        return line.find("a Redis command failed\" error=\"ERR unknown command") !=
               std::string::npos;
      });
  assert_int_equal(told, signalbox::Log::kMostLines);
}

void no_more_commands_wait_than_allowed(void**) {
  Options options = patient(cluster->options());
  options.redis_max_pending = 3;
  Test test(options);
  const std::vector<std::string> keys = {key_of(5400), key_of(5500), key_of(16000)};
  for (const std::string& key : keys) test.client.call({"GET", key});
  for (size_t i = 0; i < 3; ++i) cluster->server(i).pause();
  for (int i = 0; i < 2; ++i) {
    for (const std::string& key : keys) test.client.send({"GET", key});
  }
  assert_int_equal(test.client.redis->health().pending, 3);
  run_until(test.loop, [&] { return test.client.replies.size() == 3; });
  for (const Reply& reply : test.client.replies) assert_true(unavailable(reply));
  for (size_t i = 0; i < 3; ++i) cluster->server(i).resume();
  run_until(test.loop, [&] { return test.client.replies.size() == 6; });
  for (size_t i = 3; i < 6; ++i) assert_true(test.client.replies[i].type == Reply::Type::kNil);
  assert_int_equal(test.client.redis->health().pending, 0);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  cluster = std::make_unique<ClusterServers>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_command_goes_to_the_owner_of_its_slot),
      cmocka_unit_test(commands_of_a_key_keep_their_order),
      cmocka_unit_test(keys_with_the_same_tag_are_together),
      cmocka_unit_test(a_command_without_a_key_is_answered_by_somebody),
      cmocka_unit_test(commands_wait_for_the_first_map),
      cmocka_unit_test(any_node_and_a_unix_socket_and_a_name_can_be_the_seed),
      cmocka_unit_test(a_moved_slot_is_followed_at_once_and_for_good),
      cmocka_unit_test(one_moved_slot_makes_us_look_at_all),
      cmocka_unit_test(many_moved_slots_do_not_make_us_ask_all_the_time),
      cmocka_unit_test(a_slot_that_is_being_moved_is_asked_for),
      cmocka_unit_test(keys_apart_are_waited_for),
      cmocka_unit_test(keys_that_do_not_exist_are_waited_for_until_the_slot_has_moved),
      cmocka_unit_test(waiting_ends_with_the_deadline),
      cmocka_unit_test(the_deadline_is_the_same_after_a_redirection),
      cmocka_unit_test(an_endless_redirection_ends),
      cmocka_unit_test(a_slot_without_an_owner_is_waited_for),
      cmocka_unit_test(a_script_is_sent_to_each_node_that_does_not_know_it),
      cmocka_unit_test(a_script_follows_a_moved_slot),
      cmocka_unit_test(redirections_are_not_logged_and_errors_are),
      cmocka_unit_test(no_more_commands_wait_than_allowed),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  cluster.reset();
  return failed;
}
