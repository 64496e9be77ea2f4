// Channels: what is heard of them, and that they outlive connections.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/store/subscription.h"
#include "tests/lib/redis_server.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Log;
using signalbox::LogLevel;
using signalbox::Loop;
using signalbox::Options;
using signalbox::store::Subscription;
using signalbox::test::Client;
using signalbox::test::free_port;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;

Options patient(const std::string& url) {
  Options options;
  options.redis_url = url;
  options.redis_connect_timeout = 60000;
  options.redis_command_timeout = 60000;
  return options;
}

// A subscription that records what it is told.
struct Ear {
  Ear(Loop& loop_in, Options options_in)
      : loop(loop_in),
        options(std::move(options_in)),
        log(LogLevel::kDebug, [this](LogLevel, const std::string& line) { lines.push_back(line); }),
        subscription(std::make_unique<Subscription>(
            loop, log, options,
            [this](std::string_view channel, std::string_view payload) {
              messages.emplace_back(channel, payload);
              if (heard) heard();
            },
            [this](bool ready) {
              states.push_back(ready);
              if (changed) changed();
            })) {}

  void connect(const std::vector<std::string>& channels) {
    for (const std::string& channel : channels) subscription->subscribe(channel);
    subscription->connect();
    wait_until_ready();
  }
  void wait_until_ready() {
    run_until(loop, [this] { return subscription->ready(); });
  }
  // Publishes and waits until that was heard; what was published before has then been heard too.
  void hear(Client& client, const std::string& channel, const std::string& payload) {
    const size_t before = messages.size();
    assert_int_equal(client.integer({"PUBLISH", channel, payload}), 1);
    run_until(loop, [&] { return messages.size() > before; });
    assert_true(messages.back() == std::pair(channel, payload));
  }

  Loop& loop;
  Options options;
  std::vector<std::string> lines;
  Log log;
  std::vector<std::pair<std::string, std::string>> messages;
  std::vector<bool> states;
  std::function<void()> heard;
  std::function<void()> changed;
  std::unique_ptr<Subscription> subscription;
};

void messages_of_wanted_channels_are_heard(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, server.url());
  Ear ear(loop, patient(server.url()));
  assert_false(ear.subscription->ready());
  ear.connect({"one", "two"});
  assert_true(ear.states == std::vector<bool>{true});
  ear.hear(client, "one", "1");
  ear.hear(client, "two", "2");
  assert_int_equal(client.integer({"PUBLISH", "three", "3"}), 0);

  ear.subscription->subscribe("three");
  assert_false(ear.subscription->ready());
  ear.wait_until_ready();
  ear.hear(client, "three", "3");
  assert_int_equal(ear.messages.size(), 3);
  assert_int_equal(ear.states.size(), 1);  // a new channel is no new connection
}

void a_subscription_without_channels_is_ready(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, server.url());
  Ear ear(loop, patient(server.url()));
  ear.connect({});
  assert_true(ear.states == std::vector<bool>{true});
  ear.subscription->subscribe("late");
  ear.wait_until_ready();
  ear.hear(client, "late", "x");
}

void channels_and_payloads_may_hold_any_bytes(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, server.url());
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string large;
  while (large.size() < 3'000'000) large += all;
  const std::vector<std::string> channels = {all, "", "$1\r\n", "%s%b", "pattern*"};
  Ear ear(loop, patient(server.url()));
  ear.connect(channels);
  for (const std::string& channel : channels) {
    ear.hear(client, channel, all);
    ear.hear(client, channel, "");
    ear.hear(client, channel, large);
  }
}

void an_unsubscribed_channel_is_silent(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, server.url());
  Ear ear(loop, patient(server.url()));
  ear.connect({"kept", "left"});
  // The first of many that are under way when the channel is left.
  ear.heard = [&] { ear.subscription->unsubscribe("left"); };
  server.pause();
  for (int i = 0; i < 100; ++i) client.send({"PUBLISH", "left", std::to_string(i)});
  loop.turn(0);
  server.resume();
  run_until(loop, [&] { return client.replies.size() == 100 && !ear.messages.empty(); });
  ear.hear(client, "kept", "end");
  assert_int_equal(ear.messages.size(), 2);
  run_until(loop, [&] { return client.integer({"PUBLISH", "left", "x"}) == 0; });
  ear.subscription->unsubscribe("left");  // once more, and one that never was
  ear.subscription->unsubscribe("other");
  ear.hear(client, "kept", "still");
}

void a_changed_mind_is_followed_whatever_the_order(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, server.url());
  Ear ear(loop, patient(server.url()));
  ear.connect({});
  Subscription& subscription = *ear.subscription;
  for (int round = 0; round < 20; ++round) {
    // Nothing is answered before the last is sent.
    for (int i = 0; i < 3; ++i) {
      subscription.subscribe("a");
      subscription.unsubscribe("a");
      subscription.subscribe("b");
      subscription.unsubscribe("b");
      subscription.subscribe("a");
    }
    ear.wait_until_ready();
    ear.hear(client, "a", std::to_string(round));
    assert_int_equal(client.integer({"PUBLISH", "b", "x"}), 0);
    // Away and back before the answer; then away, with no channel left.
    subscription.unsubscribe("a");
    subscription.subscribe("a");
    subscription.unsubscribe("a");
    subscription.subscribe("a");
    ear.wait_until_ready();
    ear.hear(client, "a", "again");
    subscription.unsubscribe("a");
    subscription.subscribe("c");
    subscription.unsubscribe("c");
    subscription.unsubscribe("c");
    run_until(loop, [&] { return client.integer({"PUBLISH", "a", "x"}) == 0; });
  }
  assert_int_equal(ear.messages.size(), 40);
  assert_true(ear.states == std::vector<bool>{true});  // the connection was not lost over it
}

void a_restarted_redis_is_listened_to_again(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, server.url());
  Ear ear(loop, patient(server.url()));
  ear.connect({"one", "two", "left"});
  ear.subscription->unsubscribe("left");
  std::vector<bool> states = {true};
  for (int round = 0; round < 3; ++round) {
    server.kill();
    states.push_back(false);
    run_until(loop, [&] { return ear.states == states; });
    assert_false(ear.subscription->ready());
    ear.subscription->subscribe("new" + std::to_string(round));
    server.start();
    states.push_back(true);
    run_until(loop, [&] { return ear.states == states; });
    assert_true(ear.subscription->ready());
    client.wait_until_connected();
    ear.hear(client, "one", "1");
    ear.hear(client, "two", "2");
    for (int i = 0; i <= round; ++i) ear.hear(client, "new" + std::to_string(i), "3");
    assert_int_equal(client.integer({"PUBLISH", "left", "x"}), 0);
  }
}

void a_hanging_redis_is_left_when_the_owner_says_so(void**) {
  RedisServer server;
  Loop loop;
  Options options = patient(server.url());
  options.redis_connect_timeout = 100;
  Client client(loop, server.url());
  Ear ear(loop, options);
  ear.connect({"one"});
  server.pause();
  run_for(loop, 300);
  assert_int_equal(ear.states.size(), 1);  // it has no way to know
  ear.subscription->restart("found dead");
  assert_true(ear.states == (std::vector<bool>{true, false}));
  ear.subscription->restart("found dead again");  // while it is being made anew
  run_for(loop, 300);
  assert_int_equal(ear.states.size(), 2);
  server.resume();
  ear.wait_until_ready();
  client.wait_until_connected();
  ear.hear(client, "one", "1");
  assert_true(ear.states == (std::vector<bool>{true, false, true}));
}

void a_redis_that_does_not_confirm_is_left(void**) {
  RedisServer server;
  Loop loop;
  Options options = patient(server.url());
  options.redis_command_timeout = 200;
  Client client(loop, server.url());
  Ear ear(loop, options);
  ear.connect({"one"});
  server.pause();
  ear.subscription->subscribe("two");
  run_until(loop, [&] { return ear.states.size() == 2; });
  assert_false(ear.states.back());
  server.resume();
  ear.wait_until_ready();
  client.wait_until_connected();
  ear.hear(client, "two", "2");
}

// Redis lets us in, and refuses the channel each time.
void a_forbidden_channel_is_tried_with_patience(void**) {
  const int port = free_port();
  RedisServer server({"--port", std::to_string(port), "--bind", "127.0.0.1"});
  Loop loop;
  Client client(loop, server.url());
  client.text({"ACL", "SETUSER", "robot", "on", ">word", "+@all", "resetchannels", "&allowed"});
  Ear ear(loop, patient("redis://robot:word@127.0.0.1:" + std::to_string(port)));
  ear.subscription->subscribe("allowed");
  ear.subscription->subscribe("forbidden");
  ear.subscription->connect();
  run_for(loop, 1000);
  assert_true(ear.states.empty());
  size_t losses = 0;
  bool explained = false;
  for (const std::string& line : ear.lines) {
    if (line.find("lost") == std::string::npos) continue;
    ++losses;
    explained = explained || line.find("NOPERM") != std::string::npos;
  }
  assert_true(explained);
  assert_in_range(losses, 3, 8);
  ear.subscription->unsubscribe("forbidden");
  ear.wait_until_ready();
  ear.hear(client, "allowed", "x");
}

void a_subscription_may_be_destroyed_inside_its_callbacks(void**) {
  RedisServer server;
  for (const bool by_message : {false, true}) {
    Loop loop;
    Client client(loop, server.url());
    client.wait_until_connected();
    Ear ear(loop, patient(server.url()));
    (by_message ? ear.heard : ear.changed) = [&] { ear.subscription.reset(); };
    ear.subscription->subscribe("one");
    ear.subscription->connect();
    if (by_message) {
      ear.wait_until_ready();
      for (int i = 0; i < 3; ++i) client.send({"PUBLISH", "one", "x"});
    }
    run_until(loop, [&] { return ear.subscription == nullptr; });
    run_until(loop, [&] { return client.integer({"PUBLISH", "one", "x"}) == 0; });
    assert_int_equal(ear.messages.size(), by_message ? 1 : 0);
  }
  // When its connection is lost, and when its owner gives that up.
  for (const bool by_owner : {false, true}) {
    Loop loop;
    Ear ear(loop, patient(server.url()));
    ear.connect({"one"});
    ear.changed = [&] { ear.subscription.reset(); };
    if (by_owner) {
      ear.subscription->restart("on purpose");
    } else {
      server.kill();
    }
    run_until(loop, [&] { return ear.subscription == nullptr; });
    if (!by_owner) server.start();
  }
}

void a_closed_subscription_is_silent(void**) {
  RedisServer server;
  Loop loop;
  Client client(loop, server.url());
  Ear ear(loop, patient(server.url()));
  ear.connect({"one"});
  ear.subscription->close();
  ear.subscription->close();
  ear.subscription->subscribe("two");
  ear.subscription->unsubscribe("one");
  ear.subscription->restart("on purpose");
  run_until(loop, [&] { return client.integer({"PUBLISH", "one", "x"}) == 0; });
  run_for(loop, 100);
  assert_false(ear.subscription->ready());
  assert_int_equal(ear.messages.size(), 0);
  assert_int_equal(ear.states.size(), 1);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  const CMUnitTest tests[] = {
      cmocka_unit_test(messages_of_wanted_channels_are_heard),
      cmocka_unit_test(a_subscription_without_channels_is_ready),
      cmocka_unit_test(channels_and_payloads_may_hold_any_bytes),
      cmocka_unit_test(an_unsubscribed_channel_is_silent),
      cmocka_unit_test(a_changed_mind_is_followed_whatever_the_order),
      cmocka_unit_test(a_restarted_redis_is_listened_to_again),
      cmocka_unit_test(a_hanging_redis_is_left_when_the_owner_says_so),
      cmocka_unit_test(a_redis_that_does_not_confirm_is_left),
      cmocka_unit_test(a_forbidden_channel_is_tried_with_patience),
      cmocka_unit_test(a_subscription_may_be_destroyed_inside_its_callbacks),
      cmocka_unit_test(a_closed_subscription_is_silent),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
