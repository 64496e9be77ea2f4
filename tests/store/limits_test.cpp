// Limits of addresses: the window of two counters, what counts, and what of it costs nothing.
#include <algorithm>
#include <memory>
#include <string>

#include "engine/store/session_limit.h"
#include "tests/store/rooms_fixture.h"

namespace {

using signalbox::Options;
using signalbox::store::CheckReply;
using signalbox::store::CheckResult;
using signalbox::store::CreateResult;
using signalbox::store::JoinReply;
using signalbox::store::LeaveReply;
using signalbox::store::SessionLimit;
using signalbox::test::RedisServer;
using signalbox::test::RoomsFixture;
using signalbox::test::RoomsTest;
using signalbox::test::run_until;

std::unique_ptr<RedisServer> server;

const char kWho[] = "192.0.2.1";
const char kChecks[] = "ratelimit:check:192.0.2.1";
const char kGuesses[] = "ratelimit:guess:192.0.2.1";

// Checks are limited to 10 in 100 s, guesses to 3 in 100 s; joins are not limited as such.
Options some_limits() {
  Options options;
  options.limits_join_enabled = false;
  options.limits_check_count = 10;
  options.limits_check_window = 100;
  options.limits_guess_count = 3;
  options.limits_guess_window = 100;
  return options;
}

// As if it had all happened so much earlier.
void age(RoomsFixture& rooms, const std::string& key, int64_t seconds) {
  rooms.client.call({"HINCRBY", key, "begin", std::to_string(-1000 * seconds)});
}

int check_while_it_may(RoomsFixture& rooms, CheckReply& last) {
  for (int count = 0;; ++count) {
    last = rooms.check_by("r", kWho);
    if (last.result == CheckResult::kLimited || count == 1000) return count;
  }
}

void so_many_and_no_more(void**) {
  RoomsTest test(*server, some_limits());
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  CheckReply last;
  assert_int_equal(check_while_it_may(rooms, last), 10);
  assert_in_range(last.refusal.retry_after_s, 95, 101);
  assert_true(rooms.check_by("r", "192.0.2.2").result == CheckResult::kPresent);
  assert_true(rooms.check("r") == CheckResult::kPresent);
}

void the_window_slides(void**) {
  RoomsTest test(*server, some_limits());
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  CheckReply last;
  check_while_it_may(rooms, last);
  age(rooms, kChecks, 150);  // half of them have slid out
  assert_int_equal(check_while_it_may(rooms, last), 6);
  assert_in_range(last.refusal.retry_after_s, 1, 11);  // the next tenth
  age(rooms, kChecks, 10);
  assert_int_equal(check_while_it_may(rooms, last), 1);
  age(rooms, kChecks, 200);
  assert_int_equal(check_while_it_may(rooms, last), 10);
}

void what_is_told_to_wait_is_enough(void**) {
  RoomsTest test(*server, some_limits());
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  CheckReply last;
  check_while_it_may(rooms, last);
  for (int round = 0; round < 30; ++round) {
    const int64_t wait_s = last.refusal.retry_after_s;
    if (wait_s > 2) {
      age(rooms, kChecks, wait_s - 2);
      assert_int_equal(check_while_it_may(rooms, last), 0);
      age(rooms, kChecks, 2);
    } else {
      age(rooms, kChecks, wait_s);
    }
    assert_in_range(check_while_it_may(rooms, last), 1, 1);
  }
}

void over_the_long_run_it_is_exact(void**) {
  RoomsTest test(*server, some_limits());
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  CheckReply last;
  int passed = 0;
  for (int s = 0; s < 1000; s += 7) {
    passed += check_while_it_may(rooms, last);
    age(rooms, kChecks, 7);
  }
  assert_in_range(passed, 95, 110);
}

void a_limit_can_change_and_end(void**) {
  RoomsTest test(*server, some_limits());
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  CheckReply last;
  check_while_it_may(rooms, last);
  rooms.client.options.limits_check_count = 4;  // as engine.set() does
  assert_int_equal(check_while_it_may(rooms, last), 0);
  assert_in_range(last.refusal.retry_after_s, 155, 161);
  rooms.client.options.limits_check_count = 12;
  assert_int_equal(check_while_it_may(rooms, last), 2);
  rooms.client.options.limits_check_window = 1;
  age(rooms, kChecks, 3);
  assert_true(rooms.check_by("r", kWho).result == CheckResult::kPresent);
  rooms.client.options.limits_check_count = 0;
  assert_int_equal(check_while_it_may(rooms, last), 1000);
}

void a_key_is_small_and_has_its_time(void**) {
  Options options = some_limits();
  options.limits_check_count = 1000;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  for (int i = 0; i < 500; ++i) rooms.check_by("r", kWho);
  assert_string_equal(rooms.client.text({"HGET", kChecks, "count"}).c_str(), "500");
  assert_int_equal(rooms.client.integer({"HLEN", kChecks}), 3);
  assert_in_range(rooms.client.integer({"MEMORY", "USAGE", kChecks}), 1, 200);
  assert_in_range(rooms.ttl(kChecks), 195, 200);
}

void who_has_guessed_too_much_is_told_nothing(void**) {
  RoomsTest test(*server, some_limits());
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  assert_true(rooms.join("r", "in", kWho).result == JoinReply::Result::kJoined);
  assert_true(rooms.check_by("no", kWho).result == CheckResult::kAbsent);
  assert_true(rooms.join("no", "s", kWho).result == JoinReply::Result::kRoomAbsent);
  assert_true(rooms.leave("r", "nobody", kWho).result == LeaveReply::Result::kNotMember);
  for (const std::string room : {"r", "no"}) {
    const JoinReply join = rooms.join(room, "s", kWho);
    assert_true(join.result == JoinReply::Result::kLimited);
    assert_in_range(join.refusal.retry_after_s, 95, 101);
    assert_int_equal(join.refusal.attempts_left, 0);
    assert_true(rooms.check_by(room, kWho).result == CheckResult::kLimited);
    assert_true(rooms.create_as({.room = room, .who = kWho}).result == CreateResult::kLimited);
    assert_true(rooms.leave(room, "nobody", kWho).result == LeaveReply::Result::kLimited);
  }
  // Who is in a room already need not guess, nor does the server for a client that needs a room.
  assert_true(rooms.join("r", "in", kWho).rejoined);
  assert_true(rooms.create_as({.room = "free", .who = kWho, .named = false}).result ==
              CreateResult::kCreated);
  assert_string_equal(rooms.client.text({"HGET", kGuesses, "count"}).c_str(), "3");
  assert_false(rooms.exists("socket:s"));
}

void what_is_right_is_no_guess(void**) {
  RoomsTest test(*server, some_limits());
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  for (int i = 0; i < 9; ++i) {
    const std::string socket = std::to_string(i);
    assert_true(rooms.check_by("r", kWho).result == CheckResult::kPresent);
    assert_true(rooms.join("r", socket, kWho).result == JoinReply::Result::kJoined);
    assert_true(rooms.leave("r", socket, kWho).result == LeaveReply::Result::kLeft);
    assert_true(rooms.create_as({.room = "r", .who = kWho}).result == CreateResult::kExists);
  }
  assert_false(rooms.exists(kGuesses));
}

// 10,000 names of four digits, of which one in a hundred is a room: with the defaults, and all that
// one address may do. Time is made to pass in Redis.
void a_search_of_all_four_digit_rooms_takes_longer_than_a_room_lives(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  for (int name = 0; name < 10'000; name += 100) rooms.create(std::to_string(10'000 + name));
  int64_t seconds = 0;
  int found = 0;
  for (int name = 0; name < 10'000;) {
    const CheckReply reply = rooms.check_by(std::to_string(10'000 + name), kWho);
    if (reply.result != CheckResult::kLimited) {
      found += reply.result == CheckResult::kPresent;
      ++name;
      continue;
    }
    // A little longer than one must: that saves the test time, and costs the searcher little.
    const int64_t wait_s = std::max<int64_t>(reply.refusal.retry_after_s, 30);
    seconds += wait_s;
    for (const char* key : {kChecks, kGuesses}) {
      if (rooms.exists(key)) age(rooms, key, wait_s);
    }
  }
  print_message("a search of all rooms of four digits: %.1f h, found %d\n",
                static_cast<double>(seconds) / 3600, found);
  assert_int_equal(found, 100);
  assert_true(seconds > rooms.client.options.rooms_ttl);
}

void sessions_are_counted_without_waiting(void**) {
  Options options;
  options.limits_connect_count = 3;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  SessionLimit limit(test.loop, *rooms.client.redis, rooms.client.options);
  for (int i = 0; i < 3; ++i) assert_int_equal(limit.admit(kWho), 0);
  assert_int_equal(limit.admit(kWho), 0);  // Redis has not answered yet
  run_until(test.loop, [&] { return limit.admit(kWho) > 0; });
  assert_in_range(limit.admit(kWho), 55, 61);
  assert_int_equal(limit.admit("192.0.2.2"), 0);
  // Another node hears of it with its first one.
  SessionLimit other(test.loop, *rooms.client.redis, rooms.client.options);
  assert_int_equal(other.admit(kWho), 0);
  run_until(test.loop, [&] { return other.admit(kWho) > 0; });
  assert_in_range(other.admit(kWho), 55, 61);
  assert_string_equal(rooms.client.text({"HGET", "ratelimit:connect:192.0.2.1", "count"}).c_str(),
                      "3");
  rooms.client.options.limits_connect_count = 0;
  assert_int_equal(limit.admit(kWho), 0);
}

void no_limit_makes_no_key(void**) {
  Options options;
  options.limits_join_enabled = false;
  options.limits_create_count = 0;
  options.limits_check_count = 0;
  options.limits_guess_count = 0;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  assert_true(rooms.create_as({.room = "r", .who = kWho}).result == CreateResult::kCreated);
  assert_true(rooms.check_by("no", kWho).result == CheckResult::kAbsent);
  assert_true(rooms.join("no", "s", kWho).result == JoinReply::Result::kRoomAbsent);
  assert_true(rooms.leave("no", "s", kWho).result == LeaveReply::Result::kRoomAbsent);
  assert_int_equal(rooms.keys(), 1);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(so_many_and_no_more),
      cmocka_unit_test(the_window_slides),
      cmocka_unit_test(what_is_told_to_wait_is_enough),
      cmocka_unit_test(over_the_long_run_it_is_exact),
      cmocka_unit_test(a_limit_can_change_and_end),
      cmocka_unit_test(a_key_is_small_and_has_its_time),
      cmocka_unit_test(who_has_guessed_too_much_is_told_nothing),
      cmocka_unit_test(what_is_right_is_no_guess),
      cmocka_unit_test(a_search_of_all_four_digit_rooms_takes_longer_than_a_room_lives),
      cmocka_unit_test(sessions_are_counted_without_waiting),
      cmocka_unit_test(no_limit_makes_no_key),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
