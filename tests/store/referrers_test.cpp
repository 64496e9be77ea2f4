#include "engine/store/referrers.h"

#include <memory>
#include <string>

#include "tests/lib/redis_server.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::store::Referrers;
using signalbox::test::await;
using signalbox::test::Client;
using signalbox::test::RedisServer;

using Result = Referrers::Result;

const char kDay[] = "2024-02-29";
const char kKey[] = "referrers:daily:2024-02-29";

struct Test {
  explicit Test(const RedisServer& server) : client(loop, server.url()) {
    client.call({"FLUSHALL"});
  }
  bool count(const std::string& ref) { return count_for(ref, "").result == Result::kCounted; }
  bool count_as_other(const std::string& ref) {
    return count_for(ref, "").result == Result::kCountedAsOther;
  }
  Referrers::Answer count_for(const std::string& ref, const std::string& who) {
    return await<Referrers::Answer>(loop, [&](std::function<void(Referrers::Answer)> done) {
      referrers.count(ref, kDay, who, std::move(done));
    });
  }
  std::string of(const std::string& ref) { return client.text({"HGET", kKey, ref}); }

  Loop loop;
  Client client;
  Referrers referrers{*client.redis, client.options};
};

std::unique_ptr<RedisServer> server;

void counts_by_day_and_ref(void**) {
  Test test(*server);
  for (int i = 0; i < 3; ++i) assert_true(test.count("news"));
  assert_true(test.count(std::string("a\0 \"b", 5)));
  assert_string_equal(test.of("news").c_str(), "3");
  assert_string_equal(test.of(std::string("a\0 \"b", 5)).c_str(), "1");
  assert_in_range(test.client.integer({"TTL", kKey}), 2592000 - 5, 2592000);
}

void a_day_holds_only_so_many_refs(void**) {
  Test test(*server);
  test.client.call(
      {"EVAL", "for i = 1, 9999 do redis.call('HSET', KEYS[1], 'ref' .. i, 1) end", "1", kKey});
  assert_true(test.count("the last"));
  assert_string_equal(test.of("the last").c_str(), "1");
  assert_true(test.count_as_other("too late"));
  assert_true(test.count_as_other("too late as well"));
  assert_string_equal(test.of("(other)").c_str(), "2");
  assert_int_equal(test.client.integer({"HLEN", kKey}), 10001);
  assert_true(test.count("ref17"));
  assert_string_equal(test.of("ref17").c_str(), "2");
}

void a_long_ref_is_not_kept(void**) {
  Test test(*server);
  assert_true(test.count(std::string(256, 'x')));
  assert_true(test.count_as_other(std::string(257, 'x')));
  assert_string_equal(test.of(std::string(256, 'x')).c_str(), "1");
  assert_string_equal(test.of("(other)").c_str(), "1");
  assert_int_equal(test.client.integer({"HLEN", kKey}), 2);
}

void the_number_of_refs_is_an_option(void**) {
  Test test(*server);
  test.client.options.limits_referrers = 2;
  for (const char* ref : {"a", "b", "a"}) assert_true(test.count(ref));
  for (const char* ref : {"c", "d"}) assert_true(test.count_as_other(ref));
  assert_string_equal(test.of("a").c_str(), "2");
  assert_string_equal(test.of("(other)").c_str(), "2");
  assert_int_equal(test.client.integer({"HLEN", kKey}), 3);
}

void an_address_reports_only_so_many(void**) {
  Test test(*server);
  test.client.options.limits_track_count = 2;
  for (int i = 0; i < 2; ++i) assert_true(test.count_for("a", "x").result == Result::kCounted);
  const Referrers::Answer third = test.count_for("a", "x");
  assert_true(third.result == Result::kLimited);
  assert_in_range(third.refusal.retry_after_s, 55, 61);
  assert_true(test.count_for("a", "y").result == Result::kCounted);
  assert_string_equal(test.of("a").c_str(), "3");
}

void tells_when_it_could_not_count(void**) {
  RedisServer mortal;
  Test test(mortal);
  test.client.call({"SET", kKey, "not ours"});
  assert_false(test.count("news"));
  mortal.kill();
  assert_false(test.count("news"));
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(counts_by_day_and_ref),
      cmocka_unit_test(a_day_holds_only_so_many_refs),
      cmocka_unit_test(the_number_of_refs_is_an_option),
      cmocka_unit_test(an_address_reports_only_so_many),
      cmocka_unit_test(a_long_ref_is_not_kept),
      cmocka_unit_test(tells_when_it_could_not_count),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
