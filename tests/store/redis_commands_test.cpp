// Commands and scripts over a connection that works.
#include <memory>
#include <string>
#include <vector>

#include "engine/store/redis.h"
#include "engine/store/sha1.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::Reply;
using signalbox::store::Script;
using signalbox::store::sha1_hex;
using signalbox::test::await;
using signalbox::test::Client;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;

std::unique_ptr<RedisServer> server;

Reply run(Client& client, const Script& script, std::vector<std::string> keys,
          std::vector<std::string> arguments) {
  return await<Reply>(client.loop, [&](std::function<void(Reply)> done) {
    client.redis->script(script, std::move(keys), std::move(arguments), std::move(done));
  });
}

void answers_in_order(void**) {
  Loop loop;
  Client client(loop, server->url());
  constexpr size_t kCount = 3000;
  for (size_t i = 0; i < kCount; ++i) client.send({"ECHO", std::to_string(i)});
  run_until(loop, [&] { return client.replies.size() == kCount; });
  for (size_t i = 0; i < kCount; ++i) {
    assert_string_equal(client.replies[i].text.c_str(), std::to_string(i).c_str());
  }
  assert_int_equal(client.redis->health().pending, 0);
}

void sends_any_bytes(void**) {
  Loop loop;
  Client client(loop, server->url());
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& value : {all, std::string(), std::string("%s%b%n"),
                                   std::string("\r\n$5\r\n"), std::string(1'000'000, 'x')}) {
    assert_string_equal(client.text({"SET", value, value}).c_str(), "OK");
    assert_true(client.text({"GET", value}) == value);
  }
}

void tells_the_kinds_of_reply_apart(void**) {
  Loop loop;
  Client client(loop, server->url());
  assert_true(client.call({"GET", "no such key"}).type == Reply::Type::kNil);
  assert_int_equal(client.integer({"DEL", "no such key"}), 0);
  assert_string_equal(client.text({"PING"}).c_str(), "PONG");
  assert_true(client.call({"NONSENSE"}).type == Reply::Type::kError);
  const Reply nested = client.call({"EVAL", "return {1, {'two', false}, 'three'}", "0"});
  assert_true(nested.type == Reply::Type::kArray);
  assert_int_equal(nested.elements.size(), 3);
  assert_int_equal(nested.elements[0].integer, 1);
  assert_string_equal(nested.elements[1].elements[0].text.c_str(), "two");
  assert_true(nested.elements[1].elements[1].type == Reply::Type::kNil);
  assert_string_equal(nested.elements[2].text.c_str(), "three");
}

void logs_error_replies_but_not_each(void**) {
  Loop loop;
  Client client(loop, server->url());
  client.wait_until_connected();
  client.lines.clear();
  for (int i = 0; i < 100; ++i) client.send({"NONSENSE"});
  run_until(loop, [&] { return client.replies.size() == client.sent; });
  assert_int_equal(client.lines.size(), signalbox::Log::kMostLines);
  assert_true(client.lines[0].find("unknown command") != std::string::npos);
}

void names_scripts_as_redis_does(void**) {
  Loop loop;
  Client client(loop, server->url());
  // Every length around the borders of SHA-1's blocks.
  for (size_t length = 2; length < 200; ++length) {
    const std::string text = "--" + std::string(length - 2, 'a');
    assert_string_equal(sha1_hex(text).c_str(), client.text({"SCRIPT", "LOAD", text}).c_str());
  }
}

void sends_a_script_that_redis_does_not_know(void**) {
  Loop loop;
  Client client(loop, server->url());
  const Script script("return {KEYS[1], ARGV[1], ARGV[2], #KEYS}");
  for (int round = 0; round < 2; ++round) {
    assert_string_equal(client.text({"SCRIPT", "FLUSH"}).c_str(), "OK");
    for (int again = 0; again < 2; ++again) {
      const Reply reply = run(client, script, {"a key"}, {std::string("\0", 1), ""});
      assert_int_equal(reply.elements.size(), 4);
      assert_string_equal(reply.elements[0].text.c_str(), "a key");
      assert_true(reply.elements[1].text == std::string("\0", 1));
      assert_true(reply.elements[2].text.empty());
      assert_int_equal(reply.elements[3].integer, 1);
    }
  }
}

void recovers_a_pipeline_of_scripts_from_a_flush(void**) {
  Loop loop;
  Client client(loop, server->url());
  const Script script("return redis.call('INCR', KEYS[1])");
  client.call({"DEL", "counter"});
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    if (i == 50) client.send({"SCRIPT", "FLUSH"});
    client.redis->script(script, {"counter"}, {}, [&](const Reply& reply) {
      if (reply.type == Reply::Type::kInteger) ++answered;
    });
  }
  run_until(loop, [&] { return client.redis->health().pending == 0; });
  assert_int_equal(answered, 100);
  assert_string_equal(client.text({"GET", "counter"}).c_str(), "100");
}

void a_script_that_is_sent_again_has_no_more_time(void**) {
  Loop loop;
  Options options;
  options.redis_url = server->url();
  options.redis_command_timeout = 1000;
  Client client(loop, options);
  client.wait_until_connected();
  const Script script("return 'unknown until now'");
  std::vector<Reply> replies;
  const Stopwatch watch;
  server->pause();
  client.redis->script(script, {}, {}, [&](const Reply& reply) { replies.push_back(reply); });
  // Comes with NOSCRIPT; the script's text has not gone out then.
  client.send({"PING"}, [&](const Reply&) { server->pause(); });
  run_for(loop, 700);
  server->resume();
  run_until(loop, [&] { return replies.size() == 1; });
  server->resume();
  assert_true(client.replies[0].type == Reply::Type::kText);
  assert_true(replies[0].type == Reply::Type::kUnavailable);
  assert_took(watch, 950, 1300);
}

void passes_a_scripts_error_on(void**) {
  Loop loop;
  Client client(loop, server->url());
  const Script script("return redis.error_reply('NOPE on purpose')");
  const Reply reply = run(client, script, {}, {});
  assert_true(reply.type == Reply::Type::kError);
  assert_string_equal(reply.text.c_str(), "NOPE on purpose");
}

void selects_the_database(void**) {
  Loop loop;
  Client third(loop, server->url() + "?db=3");
  Client first(loop, server->url());
  assert_string_equal(third.text({"SET", "where", "three"}).c_str(), "OK");
  assert_true(first.call({"GET", "where"}).type == Reply::Type::kNil);
  assert_string_equal(third.redis->host().c_str(), server->socket_path().c_str());
  assert_int_equal(third.redis->port(), 0);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(answers_in_order),
      cmocka_unit_test(sends_any_bytes),
      cmocka_unit_test(tells_the_kinds_of_reply_apart),
      cmocka_unit_test(logs_error_replies_but_not_each),
      cmocka_unit_test(names_scripts_as_redis_does),
      cmocka_unit_test(sends_a_script_that_redis_does_not_know),
      cmocka_unit_test(recovers_a_pipeline_of_scripts_from_a_flush),
      cmocka_unit_test(a_script_that_is_sent_again_has_no_more_time),
      cmocka_unit_test(passes_a_scripts_error_on),
      cmocka_unit_test(selects_the_database),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
