// Joining: its checks, in their order, and the limit on attempts.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/store/rooms_fixture.h"

namespace {

using signalbox::Options;
using signalbox::store::JoinReply;
using signalbox::store::Reply;
using signalbox::test::assert_members;
using signalbox::test::RedisServer;
using signalbox::test::RoomsFixture;
using signalbox::test::RoomsTest;
using signalbox::test::run_for;
using signalbox::test::run_until;
using Result = JoinReply::Result;

std::unique_ptr<RedisServer> server;

const char kLimitKey[] = "ratelimit:join:192.0.2.1";
const char kWho[] = "192.0.2.1";

void assert_ttl(int64_t ttl, int64_t set) {
  assert_in_range(ttl, set - 5, set);
}

int64_t redis_now_ms(RoomsFixture& rooms) {
  const Reply time = rooms.client.call({"TIME"});
  return std::stoll(time.elements[0].text) * 1000 + std::stoll(time.elements[1].text) / 1000;
}

void add_attempt(RoomsFixture& rooms, int64_t at_ms) {
  const std::string at = std::to_string(at_ms);
  assert_int_equal(rooms.client.integer({"ZADD", kLimitKey, at, at + "-test"}), 1);
}

void joining_binds(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.client.call({"EXPIRE", "room:r", "100"});
  const JoinReply first = rooms.join("r", "one");
  assert_true(first.result == Result::kJoined);
  assert_false(first.rejoined);
  assert_members(first.members, {"one"});
  assert_string_equal(rooms.client.text({"GET", "socket:one"}).c_str(), "r");
  assert_int_equal(rooms.client.integer({"SISMEMBER", "room:r:sockets", "one"}), 1);
  assert_ttl(rooms.ttl("room:r"), 86400);
  assert_ttl(rooms.ttl("room:r:sockets"), 86400);
  assert_ttl(rooms.ttl("socket:one"), 90000);

  const JoinReply second = rooms.join("r", "two");
  assert_true(second.result == Result::kJoined);
  assert_members(second.members, {"one", "two"});
}

void joining_again_refreshes(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.join("r", "one", kWho);
  rooms.join("r", "two");
  for (const std::string key : {"room:r", "room:r:sockets", "socket:one"}) {
    rooms.client.call({"EXPIRE", key, "100"});
  }
  for (int i = 0; i < 10; ++i) {  // no limit on these
    const JoinReply again = rooms.join("r", "one", kWho);
    assert_true(again.result == Result::kJoined);
    assert_true(again.rejoined);
    assert_members(again.members, {"one", "two"});
  }
  assert_int_equal(rooms.client.integer({"ZCARD", kLimitKey}), 1);
  assert_ttl(rooms.ttl("room:r"), 86400);
  assert_ttl(rooms.ttl("room:r:sockets"), 86400);
  assert_ttl(rooms.ttl("socket:one"), 90000);
}

void an_absent_room_cannot_be_joined(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  assert_true(rooms.join("r", "s").result == Result::kRoomAbsent);
  assert_int_equal(rooms.keys(), 0);
}

void a_vanished_room_unbinds_who_joins_it_again(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.create("next");
  rooms.join("r", "s");
  rooms.client.call({"DEL", "room:r"});
  assert_true(rooms.join("r", "s").result == Result::kRoomAbsent);
  assert_false(rooms.exists("socket:s"));
  assert_false(rooms.exists("room:r:sockets"));
  assert_true(rooms.join("next", "s").result == Result::kJoined);
}

void who_is_bound_elsewhere_is_refused_first(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.join("r", "s");
  for (int i = 0; i < 5; ++i) {
    assert_true(rooms.join("no such room", "s", kWho).result == Result::kBoundElsewhere);
  }
  assert_false(rooms.exists(kLimitKey));
  assert_string_equal(rooms.client.text({"GET", "socket:s"}).c_str(), "r");
  assert_false(rooms.exists("room:no such room:sockets"));
}

void a_full_room_takes_no_one_new(void**) {
  Options options;
  options.limits_room_size = 2;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.join("r", "one");
  rooms.join("r", "two");
  rooms.client.call({"EXPIRE", "room:r", "100"});
  const JoinReply third = rooms.join("r", "three");
  assert_true(third.result == Result::kRoomFull);
  assert_true(third.members.empty());
  assert_false(rooms.exists("socket:three"));
  assert_int_equal(rooms.client.integer({"SCARD", "room:r:sockets"}), 2);
  assert_ttl(rooms.ttl("room:r"), 100);
  assert_true(rooms.join("r", "two").rejoined);
  rooms.leave("r", "one");
  assert_true(rooms.join("r", "three").result == Result::kJoined);
}

void a_room_of_size_0_has_no_limit(void**) {
  Options options;
  options.limits_room_size = 0;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  for (int i = 0; i < 150; ++i) {
    assert_true(rooms.join("r", std::to_string(i)).result == Result::kJoined);
  }
  assert_int_equal(rooms.join("r", "last").members.size(), 151);
}

void a_third_attempt_is_one_too_many(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  assert_true(rooms.join("r", "one", kWho).result == Result::kJoined);
  assert_in_range(rooms.ttl(kLimitKey), 4, 5);
  assert_true(rooms.join("r", "two", kWho).result == Result::kJoined);
  const JoinReply third = rooms.join("r", "three", kWho);
  assert_true(third.result == Result::kLimited);
  assert_int_equal(third.refusal.retry_after_s, 5);
  assert_int_equal(third.refusal.attempts_left, 0);
  assert_false(rooms.exists("socket:three"));
  // Others have a count of their own, and who is not counted none.
  assert_true(rooms.join("r", "three", "192.0.2.2").result == Result::kJoined);
  assert_true(rooms.join("r", "four").result == Result::kJoined);
}

void attempts_on_absent_and_full_rooms_count(void**) {
  Options options;
  options.limits_room_size = 1;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.join("r", "one");
  assert_true(rooms.join("guess", "s", kWho).result == Result::kRoomAbsent);
  assert_true(rooms.join("r", "s", kWho).result == Result::kRoomFull);
  // Now the limit speaks before the rooms do.
  assert_true(rooms.join("guess", "s", kWho).result == Result::kLimited);
  assert_true(rooms.join("r", "s", kWho).result == Result::kLimited);
}

void a_flood_keeps_the_list_short_and_the_door_shut(void**) {
  Options options;
  options.limits_join_count = 3;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  int limited = 0;
  for (int i = 0; i < 200; ++i) {
    limited += rooms.join("r", std::to_string(i), kWho).result == Result::kLimited;
    assert_in_range(rooms.client.integer({"ZCARD", kLimitKey}), 1, 4);
    assert_in_range(rooms.ttl(kLimitKey), 4, 5);
  }
  assert_int_equal(limited, 197);
}

// Of attempts 4 s and 1 s ago and one now, the second must leave the window before two fit again.
void the_wait_is_until_an_attempt_can_pass(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  const int64_t now = redis_now_ms(rooms);
  add_attempt(rooms, now - 4000);
  add_attempt(rooms, now - 1000);
  const JoinReply third = rooms.join("r", "s", kWho);
  assert_true(third.result == Result::kLimited);
  assert_int_equal(third.refusal.retry_after_s, 4);
}

void attempts_older_than_the_window_do_not_count(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  const int64_t now = redis_now_ms(rooms);
  for (int i = 0; i < 10; ++i) add_attempt(rooms, now - 5000 - i);
  assert_true(rooms.join("r", "s", kWho).result == Result::kJoined);
  assert_int_equal(rooms.client.integer({"ZCARD", kLimitKey}), 1);
}

void attempts_are_kept_as_time_and_random(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  const int64_t before = redis_now_ms(rooms);
  rooms.join("r", "s", kWho);
  const int64_t after = redis_now_ms(rooms);
  const Reply list = rooms.client.call({"ZRANGE", kLimitKey, "0", "-1", "WITHSCORES"});
  assert_int_equal(list.elements.size(), 2);
  const std::string& member = list.elements[0].text;
  const std::string& score = list.elements[1].text;
  assert_in_range(std::stoll(score), before, after);
  assert_true(member.starts_with(score + "-"));
  assert_true(member.size() > score.size() + 8);
}

void the_limit_ends_with_the_wait_it_told(void**) {
  Options options;
  options.limits_join_window = 1;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.join("r", "one", kWho);
  rooms.join("r", "two", kWho);
  const JoinReply third = rooms.join("r", "three", kWho);
  assert_true(third.result == Result::kLimited);
  assert_int_equal(third.refusal.retry_after_s, 1);
  run_for(test.loop, 1000);
  assert_true(rooms.join("r", "three", kWho).result == Result::kJoined);
}

// Time itself takes the key away, without another attempt.
void the_list_of_attempts_expires(void**) {
  Options options;
  options.limits_join_window = 1;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.join("r", "s", kWho);
  assert_true(rooms.exists(kLimitKey));
  run_for(test.loop, 1050);
  assert_false(rooms.exists(kLimitKey));
}

void the_limit_can_be_switched_off(void**) {
  Options options;
  options.limits_join_enabled = false;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  for (int i = 0; i < 10; ++i) {
    assert_true(rooms.join("r", std::to_string(i), kWho).result == Result::kJoined);
  }
  assert_false(rooms.exists(kLimitKey));
}

void of_many_at_once_no_more_get_in_than_fit(void**) {
  Options options;
  options.limits_room_size = 3;
  RoomsTest test(*server, options);
  test.rooms.create("r");
  std::vector<std::unique_ptr<RoomsFixture>> engines;
  int joined = 0;
  int full = 0;
  for (int i = 0; i < 10; ++i) {
    engines.push_back(std::make_unique<RoomsFixture>(test.loop, test.rooms.client.options));
    engines.back()->client.wait_until_connected();
  }
  for (int i = 0; i < 10; ++i) {
    engines[static_cast<size_t>(i)]->rooms.join({"r", std::to_string(i), ""}, [&](JoinReply reply) {
      joined += reply.result == Result::kJoined;
      full += reply.result == Result::kRoomFull;
    });
  }
  run_until(test.loop, [&] { return joined + full == 10; });
  assert_int_equal(joined, 3);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(joining_binds),
      cmocka_unit_test(joining_again_refreshes),
      cmocka_unit_test(an_absent_room_cannot_be_joined),
      cmocka_unit_test(a_vanished_room_unbinds_who_joins_it_again),
      cmocka_unit_test(who_is_bound_elsewhere_is_refused_first),
      cmocka_unit_test(a_full_room_takes_no_one_new),
      cmocka_unit_test(a_room_of_size_0_has_no_limit),
      cmocka_unit_test(a_third_attempt_is_one_too_many),
      cmocka_unit_test(attempts_on_absent_and_full_rooms_count),
      cmocka_unit_test(a_flood_keeps_the_list_short_and_the_door_shut),
      cmocka_unit_test(the_wait_is_until_an_attempt_can_pass),
      cmocka_unit_test(attempts_older_than_the_window_do_not_count),
      cmocka_unit_test(attempts_are_kept_as_time_and_random),
      cmocka_unit_test(the_limit_ends_with_the_wait_it_told),
      cmocka_unit_test(the_list_of_attempts_expires),
      cmocka_unit_test(the_limit_can_be_switched_off),
      cmocka_unit_test(of_many_at_once_no_more_get_in_than_fit),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
