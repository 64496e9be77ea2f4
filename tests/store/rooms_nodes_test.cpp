// Rooms whose members are on several nodes: what the others are told, what stands in Redis for it,
// and that a node which has been given up changes nothing.
#include <memory>
#include <string>
#include <vector>

#include "engine/store/room_scripts.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/nodes_fixture.h"
#include "tests/store/rooms_fixture.h"

namespace {

using signalbox::Options;
using signalbox::store::Binding;
using signalbox::store::BindReply;
using signalbox::store::Fence;
using signalbox::store::JoinReply;
using signalbox::store::LeaveReply;
using signalbox::store::node_key;
using signalbox::store::nodes_key;
using signalbox::store::Reply;
using signalbox::test::assert_members;
using signalbox::test::await;
using signalbox::test::NodesEar;
using signalbox::test::RedisServer;
using signalbox::test::RoomsFixture;
using signalbox::test::RoomsTest;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;

using Result = LeaveReply::Result;

std::unique_ptr<RedisServer> server;

// A node, and two more that only have sockets: "bbbb" and "cccc".
struct Test : RoomsTest {
  explicit Test(Options options = {})
      : RoomsTest(*server, std::move(options)),
        self(rooms.registry.id()),
        ear(loop, server->url(), {self, "bbbb", "cccc"}) {
    rooms.client.call({"HSET", "room:r", "created_at", "1"});
    assert_true(told().empty());
  }

  std::string own(const std::string& name) const { return self + name; }
  void add_member(const std::string& socket) {
    rooms.client.call({"SADD", "room:r:sockets", socket});
    rooms.client.call({"SET", "socket:" + socket, "r"});
    rooms.client.call({"HSET", index_of(socket.substr(0, 4)), socket, "r"});
  }
  static std::string index_of(const std::string& node) {
    return "signalbox:node:{" + node + "}:sockets";
  }
  // The room that Redis has a socket in: its own key, the set and the index agree.
  std::string room_of(const std::string& socket) {
    const std::string room = get(rooms.client.call({"GET", "socket:" + socket}));
    const bool listed = rooms.client.integer({"SISMEMBER", "room:r:sockets", socket}) == 1;
    assert_true(listed == (room == "r"));
    assert_true(get(rooms.client.call({"HGET", index_of(socket.substr(0, 4)), socket})) == room);
    return room;
  }
  static std::string get(const Reply& reply) { return reply.text; }
  std::vector<std::string> told() { return ear.take(rooms.client); }
  void assert_told(std::vector<std::string> expected) {
    std::sort(expected.begin(), expected.end());
    const std::vector<std::string> all = told();
    if (all != expected) {
      for (const std::string& each : all) print_error("told: %s\n", each.c_str());
    }
    assert_true(all == expected);
    assert_int_equal(ear.malformed, 0);
  }
  // Redis's, in microseconds.
  uint64_t time() {
    const Reply reply = rooms.client.call({"TIME"});
    return std::stoull(reply.elements[0].text) * 1'000'000 + std::stoull(reply.elements[1].text);
  }
  // Of the next message.
  uint64_t stamp_told() {
    run_until(loop, [this] { return !ear.heard.empty(); });
    const uint64_t stamp = ear.heard.front().second.stamp;
    ear.heard.erase(ear.heard.begin());
    return stamp;
  }
  BindReply bind(const std::vector<Binding>& bindings) {
    return await<BindReply>(loop, [&](std::function<void(BindReply)> done) {
      rooms.rooms.bind(bindings, std::move(done));
    });
  }
  LeaveReply clean(const std::string& socket) {
    return await<LeaveReply>(loop, [&](std::function<void(LeaveReply)> done) {
      rooms.rooms.clean({std::string(signalbox::store::node_of(socket)), ""}, "r", socket,
                        std::move(done));
    });
  }
  // Gives this node up, in the name of a cleaner that goes on for ever.
  void give_up() {
    rooms.client.call({"HSET", node_key(self), "cleaner", "busy"});
    rooms.client.call({"ZADD", nodes_key(), "99999999999999", self});
    rooms.client.call({"HDEL", node_key(self), "token"});
  }
  // Takes this node out, as if Redis had forgotten it.
  void forget() {
    rooms.client.call({"DEL", node_key(self)});
    rooms.client.call({"ZREM", nodes_key(), self});
  }
  std::vector<std::string> everything() {
    std::vector<std::string> all;
    for (const Reply& key : rooms.client.call({"KEYS", "*"}).elements) {
      if (!key.text.starts_with("signalbox:{nodes}")) {
        all.push_back(key.text + "=" + rooms.client.text({"DUMP", key.text}));
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  const std::string self;
  NodesEar ear;
};

void a_join_is_told_to_each_other_node_once(void**) {
  Test test;
  test.rooms.join("r", test.own("1"));
  test.assert_told({});
  for (const char* socket : {"bbbb1", "bbbb2", "cccc1"}) test.add_member(socket);
  const JoinReply join = test.rooms.join("r", test.own("2"));
  assert_members(join.members, {test.own("1"), test.own("2"), "bbbb1", "bbbb2", "cccc1"});
  assert_false(join.rejoined);
  const std::string two = test.own("2");
  test.assert_told({"bbbb joined r " + two, "cccc joined r " + two});
  assert_true(test.room_of(two) == "r");
  assert_true(test.rooms.join("r", two).rejoined);
  test.assert_told({"bbbb rejoined r " + two, "cccc rejoined r " + two});
  assert_true(test.room_of(two) == "r");
}

void a_refused_join_is_told_to_nobody(void**) {
  Options options;
  options.limits_room_size = 2;
  Test test(options);
  test.add_member("bbbb1");
  assert_true(test.rooms.join("no", test.own("1")).result == JoinReply::Result::kRoomAbsent);
  test.rooms.join("r", test.own("1"));
  test.assert_told({"bbbb joined r " + test.own("1")});
  assert_true(test.rooms.join("r", test.own("2")).result == JoinReply::Result::kRoomFull);
  assert_true(test.rooms.join("x", test.own("1")).result == JoinReply::Result::kBoundElsewhere);
  test.assert_told({});
  assert_true(test.room_of(test.own("2")).empty());
}

void a_leave_is_told_to_each_other_node_once(void**) {
  Test test;
  for (const char* socket : {"bbbb1", "bbbb2", "cccc1"}) test.add_member(socket);
  const std::string one = test.own("1");
  test.rooms.join("r", one);
  test.told();
  const LeaveReply leave = test.rooms.leave("r", one);
  assert_true(leave.result == Result::kLeft);
  assert_members(leave.members, {one, "bbbb1", "bbbb2", "cccc1"});
  test.assert_told({"bbbb left r " + one, "cccc left r " + one});
  assert_true(test.room_of(one).empty());
  assert_false(test.rooms.exists(Test::index_of(test.self)));
  assert_true(test.rooms.leave("r", one).result == Result::kNotMember);
  test.assert_told({});
}

// By DELETE of another node's peer, say. Its own node has to know.
void an_evicted_sockets_own_node_is_told_too(void**) {
  Test test;
  for (const char* socket : {"bbbb1", "bbbb2", "cccc1"}) test.add_member(socket);
  test.rooms.join("r", test.own("1"));
  test.told();
  assert_true(test.rooms.leave("r", "bbbb1").result == Result::kLeft);
  // This node, too: it hears it in the order of all that is said about that socket.
  test.assert_told(
      {test.self + " evicted r bbbb1", "bbbb evicted r bbbb1", "cccc evicted r bbbb1"});
  assert_true(test.room_of("bbbb1").empty());
  assert_true(test.room_of("bbbb2") == "r");
  // The last of its node: there still is somebody to tell.
  assert_true(test.rooms.leave("r", "cccc1").result == Result::kLeft);
  test.assert_told(
      {test.self + " evicted r cccc1", "bbbb evicted r cccc1", "cccc evicted r cccc1"});
}

void a_binding_is_told_where_it_is_news(void**) {
  Test test;
  test.add_member("bbbb1");
  test.rooms.join("r", test.own("1"));
  test.told();
  const BindReply bind =
      test.bind({{"r", test.own("1")}, {"r", test.own("2")}, {"s", test.own("3")}});
  assert_true(bind.bound);
  assert_int_equal(bind.members.size(), 3);
  assert_members(bind.members[0], {test.own("1"), "bbbb1"});
  assert_members(bind.members[1], {test.own("1"), test.own("2"), "bbbb1"});
  assert_members(bind.members[2], {test.own("3")});
  test.assert_told({"bbbb joined r " + test.own("2")});
  assert_true(test.room_of(test.own("2")) == "r");
}

// By it others tell whether what they hear is older than what they know.
void answers_and_news_bear_the_time_of_redis(void**) {
  Test test;
  test.add_member("bbbb1");
  const std::string one = test.own("1");
  const uint64_t before = test.time();
  const JoinReply join = test.rooms.join("r", one);
  assert_true(join.stamp > before);
  assert_true(test.stamp_told() == join.stamp);
  const JoinReply again = test.rooms.join("r", one);
  assert_true(again.stamp > join.stamp);
  assert_true(test.stamp_told() == again.stamp);
  const BindReply bind = test.bind({{"s", test.own("2")}, {"r", test.own("3")}});
  assert_int_equal(bind.stamps.size(), 2);
  assert_true(bind.stamps[1] > again.stamp);
  assert_true(bind.stamps[0] == bind.stamps[1]);
  assert_true(test.stamp_told() == bind.stamps[1]);
  test.rooms.leave("r", one);
  const uint64_t left = test.stamp_told();
  assert_true(left > bind.stamps[1]);
  test.add_member("cccc1");
  test.rooms.leave("r", "cccc1");
  assert_true(test.stamp_told() > left);
  assert_true(test.stamp_told() < test.time());  // of the others who are told
}

void a_binding_makes_its_room_anew(void**) {
  Options options;
  options.rooms_ttl = 200'000;
  Test test(options);
  test.rooms.empty_redis();
  assert_true(test.bind({{"r", test.own("1")}}).bound);
  assert_true(test.room_of(test.own("1")) == "r");
  assert_true(std::stoll(test.rooms.client.text({"HGET", "room:r", "created_at"})) > 1'000'000);
  // An existing room keeps its age.
  test.rooms.client.call({"HSET", "room:r", "created_at", "17"});
  test.bind({{"r", test.own("1")}});
  assert_true(test.rooms.client.text({"HGET", "room:r", "created_at"}) == "17");
  for (const char* key : {"room:r", "room:r:sockets"}) {
    assert_in_range(test.rooms.ttl(key), 199'990, 200'000);
  }
}

void each_key_has_its_time(void**) {
  Test test;
  test.rooms.join("r", test.own("1"));
  test.bind({{"s", test.own("2")}});
  size_t count = 0;
  for (const Reply& key : test.rooms.client.call({"KEYS", "*"}).elements) {
    ++count;
    const int64_t least = key.text.starts_with("room:") ? 86'390 : 89'990;
    if (test.rooms.ttl(key.text) < least) print_error("%s\n", key.text.c_str());
    assert_in_range(test.rooms.ttl(key.text), least, 90'000);
  }
  assert_int_equal(count, 9);  // 2 rooms, 2 sets, 2 sockets, the index, the node, the nodes
  // Each join gives the index its time again: it must outlive all of its sockets.
  test.rooms.client.call({"EXPIRE", Test::index_of(test.self), "10"});
  test.rooms.join("r", test.own("3"));
  assert_in_range(test.rooms.ttl(Test::index_of(test.self)), 89'990, 90'000);
}

void an_index_has_each_socket_until_it_leaves(void**) {
  Test test;
  test.rooms.create("s");
  test.rooms.join("r", test.own("1"));
  test.rooms.join("s", test.own("2"));
  const std::string index = Test::index_of(test.self);
  assert_int_equal(test.rooms.client.integer({"HLEN", index}), 2);
  assert_true(test.rooms.client.text({"HGET", index, test.own("2")}) == "s");
  test.rooms.leave("r", test.own("2"));  // where it is not
  assert_int_equal(test.rooms.client.integer({"HLEN", index}), 2);
  test.rooms.leave("r", test.own("1"));
  test.rooms.leave("s", test.own("2"));
  assert_false(test.rooms.exists(index));
}

void a_node_that_was_given_up_changes_nothing(void**) {
  Options options;
  options.redis_command_timeout = 150;
  Test test(options);
  const std::string one = test.own("1");
  test.add_member("bbbb1");
  test.rooms.join("r", one);
  test.told();
  test.give_up();
  const std::vector<std::string> before = test.everything();
  assert_true(test.rooms.join("r", test.own("2")).result == JoinReply::Result::kUnavailable);
  // Each of these waits for the registration, once.
  const Stopwatch watch;
  assert_true(test.rooms.join("r", test.own("2")).result == JoinReply::Result::kUnavailable);
  assert_true(test.rooms.leave("r", one).result == Result::kLost);
  assert_true(test.rooms.leave("r", "bbbb1").result == Result::kLost);
  assert_took(watch, 3 * 140, 4 * 140);
  assert_false(test.bind({{"r", test.own("2")}}).bound);
  assert_false(test.rooms.registry.registered());
  assert_true(test.everything() == before);
  test.assert_told({});
  // Once the cleaner is done the node is back, and what it does counts.
  test.forget();
  run_until(test.loop, [&] { return test.rooms.registry.registered(); });
  assert_true(test.rooms.leave("r", one).result == Result::kLeft);
  test.assert_told({"bbbb left r " + one});
}

// It finds out by what it wants to do, and does it then.
void a_forgotten_node_registers_and_goes_on(void**) {
  Test test;
  test.forget();
  assert_true(test.rooms.join("r", test.own("1")).result == JoinReply::Result::kJoined);
  test.forget();
  assert_true(test.rooms.leave("r", test.own("1")).result == Result::kLeft);
  test.forget();
  assert_false(test.bind({{"r", test.own("1")}}).bound);  // who binds begins all over again
  run_until(test.loop, [&] { return test.rooms.registry.registered(); });
  assert_true(test.bind({{"r", test.own("1")}}).bound);
  assert_true(test.rooms.registry.id() == test.self);
}

// The network has held them back, and there is a new connection by now.
void commands_of_an_earlier_connection_change_nothing(void**) {
  Test test;
  const std::string one = test.own("1");
  test.add_member("bbbb1");
  test.rooms.join("r", one);
  test.told();
  const Fence fence = test.rooms.registry.fence();
  test.rooms.registry.on_connection(true);
  run_until(test.loop, [&] { return test.rooms.registry.registered(); });
  const std::vector<std::string> before = test.everything();
  const auto answer = [&](const signalbox::store::Script& script, std::vector<std::string> keys,
                          std::vector<std::string> arguments) {
    return await<std::string>(test.loop, [&](std::function<void(std::string)> done) {
      test.rooms.client.redis->script(
          script, std::move(keys), std::move(arguments), [done](const Reply& reply) {
            done(reply.elements.empty() ? reply.text : reply.elements[0].text);
          });
    });
  };
  const std::string index = Test::index_of(test.self);
  const std::string two = test.own("2");
  assert_true(answer(signalbox::store::join_room_script(),
                     {"room:r", "room:r:sockets", "socket:" + two, index, fence.key},
                     {"r", two, "10", "86400", "90000", "10", "10", "x", fence.value, test.self,
                      "signalbox:node:", "joined", "rejoined"}) == "lost");
  assert_true(answer(signalbox::store::leave_room_script(),
                     {"room:r", "room:r:sockets", "socket:" + one, index, fence.key},
                     {"r", one, "60", fence.field, fence.value, test.self,
                      "signalbox:node:", "left"}) == "lost");
  assert_true(answer(signalbox::store::bind_script(),
                     {fence.key, index, "room:r", "room:r:sockets", "socket:" + two},
                     {fence.value, "86400", "90000", test.self, "signalbox:node:", "r", two,
                      "joined"}) == "lost");
  assert_true(test.everything() == before);
  assert_true(test.told().empty());
}

void only_the_cleaner_cleans(void**) {
  Test test;
  for (const char* socket : {"bbbb1", "bbbb2", "cccc1"}) test.add_member(socket);
  test.rooms.join("r", test.own("1"));
  test.told();
  test.rooms.client.call({"RENAME", Test::index_of("bbbb"), "signalbox:node:{bbbb}:left"});
  assert_true(test.clean("bbbb1").result == Result::kLost);
  test.rooms.client.call({"HSET", node_key("bbbb"), "cleaner", "cccc"});
  assert_true(test.clean("bbbb1").result == Result::kLost);
  assert_int_equal(test.rooms.client.integer({"SCARD", "room:r:sockets"}), 4);
  test.assert_told({});
  test.rooms.client.call({"HSET", node_key("bbbb"), "cleaner", test.self});
  assert_true(test.clean("bbbb1").result == Result::kLeft);
  // Its own node is dead, and ours hears of it like any other.
  test.assert_told({test.self + " left r bbbb1", "cccc left r bbbb1"});
  assert_int_equal(test.rooms.client.integer({"HLEN", "signalbox:node:{bbbb}:left"}), 1);
  assert_int_equal(test.rooms.client.integer({"EXISTS", "socket:bbbb1"}), 0);
  assert_true(test.clean("bbbb1").result == Result::kNotMember);
  test.assert_told({});
}

void members_are_listed(void**) {
  Test test;
  const auto members = [&](const std::string& room) {
    return await<std::vector<std::string>>(test.loop,
                                           [&](std::function<void(std::vector<std::string>)> done) {
                                             test.rooms.rooms.members(room, std::move(done));
                                           });
  };
  assert_true(members("r").empty());
  test.add_member("bbbb1");
  test.rooms.join("r", test.own("1"));
  assert_members(members("r"), {"bbbb1", test.own("1")});
  test.rooms.client.call({"SET", "room:odd:sockets", "no set"});
  assert_true(members("odd").empty());
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_join_is_told_to_each_other_node_once),
      cmocka_unit_test(a_refused_join_is_told_to_nobody),
      cmocka_unit_test(a_leave_is_told_to_each_other_node_once),
      cmocka_unit_test(an_evicted_sockets_own_node_is_told_too),
      cmocka_unit_test(a_binding_is_told_where_it_is_news),
      cmocka_unit_test(answers_and_news_bear_the_time_of_redis),
      cmocka_unit_test(a_binding_makes_its_room_anew),
      cmocka_unit_test(each_key_has_its_time),
      cmocka_unit_test(an_index_has_each_socket_until_it_leaves),
      cmocka_unit_test(a_node_that_was_given_up_changes_nothing),
      cmocka_unit_test(a_forgotten_node_registers_and_goes_on),
      cmocka_unit_test(commands_of_an_earlier_connection_change_nothing),
      cmocka_unit_test(only_the_cleaner_cleans),
      cmocka_unit_test(members_are_listed),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
