// Rooms come, are looked up, and are left.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/store/rooms_fixture.h"

namespace {

using signalbox::Loop;
using signalbox::Options;
using signalbox::store::CheckResult;
using signalbox::store::CreateResult;
using signalbox::store::JoinReply;
using signalbox::store::LeaveReply;
using signalbox::test::assert_members;
using signalbox::test::RedisServer;
using signalbox::test::RoomsFixture;
using signalbox::test::RoomsTest;
using signalbox::test::run_until;

std::unique_ptr<RedisServer> server;

// TTLs are read a moment after they were set.
void assert_ttl(int64_t ttl, int64_t set) {
  assert_in_range(ttl, set - 5, set);
}

void creates_a_room_once(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  assert_true(rooms.check("4821") == CheckResult::kAbsent);
  assert_true(rooms.create("4821") == CreateResult::kCreated);
  assert_true(rooms.check("4821") == CheckResult::kPresent);
  assert_ttl(rooms.ttl("room:4821"), 86400);

  using std::chrono::system_clock;
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch());
  const int64_t created = std::stoll(rooms.client.text({"HGET", "room:4821", "created_at"}));
  assert_in_range(created, now.count() - 5000, now.count());
  assert_int_equal(rooms.keys(), 1);
}

void leaves_an_existing_room_alone(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("4821");
  rooms.client.call({"HSET", "room:4821", "created_at", "17"});
  rooms.client.call({"EXPIRE", "room:4821", "100"});
  assert_true(rooms.create("4821") == CreateResult::kExists);
  assert_ttl(rooms.ttl("room:4821"), 100);
  assert_string_equal(rooms.client.text({"HGET", "room:4821", "created_at"}).c_str(), "17");
}

void rooms_live_as_long_as_the_option_says(void**) {
  Options options;
  options.rooms_ttl = 1'000'000;
  options.rooms_empty_ttl = 77;
  RoomsTest test(*server, options);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  assert_ttl(rooms.ttl("room:r"), 1'000'000);
  rooms.join("r", "s");
  assert_true(rooms.ttl("socket:s") > rooms.ttl("room:r"));
  rooms.leave("r", "s");
  assert_ttl(rooms.ttl("room:r"), 77);
}

void one_of_twenty_creates_the_room(void**) {
  RoomsTest test(*server);
  std::vector<std::unique_ptr<RoomsFixture>> engines;
  for (int i = 0; i < 20; ++i) {
    engines.push_back(
        std::make_unique<RoomsFixture>(test.loop, RoomsTest::with_url({}, server->url())));
    engines.back()->client.wait_until_connected();
  }
  for (int round = 0; round < 20; ++round) {
    int created = 0;
    int existed = 0;
    for (auto& engine : engines) {
      engine->rooms.create({.room = "room " + std::to_string(round)}, [&](const auto& reply) {
        created += reply.result == CreateResult::kCreated;
        existed += reply.result == CreateResult::kExists;
      });
    }
    run_until(test.loop, [&] { return created + existed == 20; });
    assert_int_equal(created, 1);
  }
}

void survives_a_flush_of_the_scripts(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  const std::vector<std::string> flush = {"SCRIPT", "FLUSH"};
  rooms.client.call(flush);
  assert_true(rooms.create("r") == CreateResult::kCreated);
  rooms.client.call(flush);
  assert_true(rooms.join("r", "s").result == JoinReply::Result::kJoined);
  rooms.client.call(flush);
  assert_true(rooms.leave("r", "s").result == LeaveReply::Result::kLeft);
}

void any_bytes_name_a_room_and_a_socket(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  const std::vector<std::string> names = {"\"quoted\"",
                                          "it's",
                                          "two words",
                                          "%s%n%b",
                                          "a\r\nFLUSHALL\r\n",
                                          std::string("nul\0!", 5),
                                          "r\xc3\xa4um",
                                          "\xff\xfe",
                                          "]]..x..[[",
                                          "*",
                                          "$5",
                                          std::string("\0", 1),
                                          " ",
                                          "x ",
                                          "x  "};
  for (const std::string& name : names) {
    assert_true(rooms.check(name) == CheckResult::kAbsent);
    assert_true(rooms.create(name) == CreateResult::kCreated);
    assert_true(rooms.create(name) == CreateResult::kExists);
    assert_true(rooms.check(name) == CheckResult::kPresent);
    const JoinReply join = rooms.join(name, name);
    assert_true(join.result == JoinReply::Result::kJoined);
    assert_members(join.members, {name});
    assert_true(rooms.client.text({"GET", "socket:" + name}) == name);
  }
  assert_int_equal(rooms.keys(), names.size() * 3);
  for (const std::string& name : names) {
    const LeaveReply leave = rooms.leave(name, name);
    assert_true(leave.result == LeaveReply::Result::kLeft);
    assert_members(leave.members, {name});
  }
}

void a_room_cannot_pose_as_anothers_members(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  const std::vector<std::string> names = {
      "a:sockets", "a:sockets:sockets", "a", "a:sockets ", "a:sockets  ", "a:", "a: :sockets"};
  for (const std::string& name : names) {
    assert_true(rooms.create(name) == CreateResult::kCreated);
    assert_true(rooms.join(name, "in " + name).result == JoinReply::Result::kJoined);
  }
  for (const std::string& name : names) {
    assert_members(rooms.leave(name, "in " + name).members, {"in " + name});
  }
}

void a_foreign_key_in_the_way_is_reported(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.client.call({"SET", "room:r", "not ours"});
  assert_true(rooms.create("r") == CreateResult::kUnavailable);
  assert_true(rooms.check("r") == CheckResult::kUnavailable);
  const JoinReply join = rooms.join("r", "s");
  assert_true(join.result == JoinReply::Result::kUnavailable);
  assert_string_equal(join.error.c_str(), "Redis refused the operation");
  assert_true(rooms.leave("r", "s").result == LeaveReply::Result::kUnavailable);
  assert_string_equal(rooms.client.text({"GET", "room:r"}).c_str(), "not ours");
}

void leaving_tells_who_was_there(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.join("r", "one");
  rooms.join("r", "two");
  const LeaveReply leave = rooms.leave("r", "one");
  assert_true(leave.result == LeaveReply::Result::kLeft);
  assert_members(leave.members, {"one", "two"});
  assert_false(rooms.exists("socket:one"));
  assert_true(rooms.exists("socket:two"));
  assert_int_equal(rooms.client.integer({"SISMEMBER", "room:r:sockets", "one"}), 0);
  // The room is in use: its time to live is as it was.
  assert_ttl(rooms.ttl("room:r"), 86400);
  assert_ttl(rooms.ttl("room:r:sockets"), 86400);
}

void an_emptied_room_lives_shortly(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.join("r", "s");
  assert_members(rooms.leave("r", "s").members, {"s"});
  assert_ttl(rooms.ttl("room:r"), 900);
  assert_false(rooms.exists("room:r:sockets"));
  assert_false(rooms.exists("socket:s"));
  // And is a room again when someone comes.
  rooms.join("r", "s");
  assert_ttl(rooms.ttl("room:r"), 86400);
}

void a_stranger_changes_nothing(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.create("other");
  rooms.create("empty");
  rooms.join("r", "s");
  rooms.join("other", "stranger");
  for (const std::string socket : {"stranger", "nobody"}) {
    const LeaveReply leave = rooms.leave("r", socket);
    assert_true(leave.result == LeaveReply::Result::kNotMember);
    assert_true(leave.members.empty());
    assert_true(rooms.leave("empty", socket).result == LeaveReply::Result::kNotMember);
  }
  assert_ttl(rooms.ttl("room:empty"), 86400);
  assert_int_equal(rooms.client.integer({"SCARD", "room:r:sockets"}), 1);
  assert_int_equal(rooms.client.integer({"SCARD", "room:other:sockets"}), 1);
  assert_string_equal(rooms.client.text({"GET", "socket:stranger"}).c_str(), "other");
}

void leaving_a_room_that_is_gone_unbinds(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  assert_true(rooms.leave("r", "s").result == LeaveReply::Result::kRoomAbsent);
  rooms.create("r");
  rooms.create("other");
  rooms.join("r", "s");
  rooms.join("other", "elsewhere");
  rooms.client.call({"DEL", "room:r"});
  const LeaveReply leave = rooms.leave("r", "s");
  assert_true(leave.result == LeaveReply::Result::kRoomAbsent);
  assert_true(leave.members.empty());
  assert_false(rooms.exists("socket:s"));
  assert_false(rooms.exists("room:r:sockets"));
  rooms.create("r");
  rooms.join("r", "s");
  rooms.client.call({"DEL", "room:r", "room:r:sockets"});
  assert_true(rooms.leave("r", "s").result == LeaveReply::Result::kRoomAbsent);
  assert_false(rooms.exists("socket:s"));
  assert_true(rooms.leave("r", "elsewhere").result == LeaveReply::Result::kRoomAbsent);
  assert_true(rooms.exists("socket:elsewhere"));
}

// In a room that others keep alive for longer than a binding lives.
void a_member_whose_binding_has_expired_can_leave(void**) {
  RoomsTest test(*server);
  RoomsFixture& rooms = test.rooms;
  rooms.create("r");
  rooms.create("next");
  rooms.join("r", "s");
  rooms.client.call({"DEL", "socket:s"});
  rooms.join("next", "s");
  assert_members(rooms.leave("r", "s").members, {"s"});
  assert_false(rooms.exists("room:r:sockets"));
  assert_string_equal(rooms.client.text({"GET", "socket:s"}).c_str(), "next");
}

void without_redis_everything_is_unavailable(void**) {
  RedisServer mortal;
  RoomsTest test(mortal);
  RoomsFixture& rooms = test.rooms;
  mortal.kill();
  for (int round = 0; round < 2; ++round) {
    assert_true(rooms.create("r") == CreateResult::kUnavailable);
    assert_true(rooms.check("r") == CheckResult::kUnavailable);
    const JoinReply join = rooms.join("r", "s");
    assert_true(join.result == JoinReply::Result::kUnavailable);
    assert_string_equal(join.error.c_str(), "Redis is not reachable");
    assert_true(rooms.leave("r", "s").result == LeaveReply::Result::kUnavailable);
  }
  mortal.start();
  rooms.client.wait_until_connected();
  assert_true(rooms.create("r") == CreateResult::kCreated);
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(creates_a_room_once),
      cmocka_unit_test(leaves_an_existing_room_alone),
      cmocka_unit_test(rooms_live_as_long_as_the_option_says),
      cmocka_unit_test(one_of_twenty_creates_the_room),
      cmocka_unit_test(survives_a_flush_of_the_scripts),
      cmocka_unit_test(any_bytes_name_a_room_and_a_socket),
      cmocka_unit_test(a_room_cannot_pose_as_anothers_members),
      cmocka_unit_test(a_foreign_key_in_the_way_is_reported),
      cmocka_unit_test(leaving_tells_who_was_there),
      cmocka_unit_test(an_emptied_room_lives_shortly),
      cmocka_unit_test(a_stranger_changes_nothing),
      cmocka_unit_test(leaving_a_room_that_is_gone_unbinds),
      cmocka_unit_test(a_member_whose_binding_has_expired_can_leave),
      cmocka_unit_test(without_redis_everything_is_unavailable),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
