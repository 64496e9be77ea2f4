// Rooms in a cluster: the same answers as on one Redis, and what is left when something ends
// between two steps, or comes late.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/core/counters.h"
#include "engine/store/cleaner.h"
#include "engine/store/keys.h"
#include "engine/store/reconciler.h"
#include "engine/store/split_scripts.h"
#include "tests/store/cluster_servers.h"
#include "tests/store/nodes_fixture.h"
#include "tests/store/rooms_fixture.h"

namespace {

using signalbox::Counters;
using signalbox::Loop;
using signalbox::Options;
using signalbox::store::Binding;
using signalbox::store::BindReply;
using signalbox::store::CheckReply;
using signalbox::store::CheckResult;
using signalbox::store::Cleaner;
using signalbox::store::CreateReply;
using signalbox::store::CreateRequest;
using signalbox::store::CreateResult;
using signalbox::store::Departed;
using signalbox::store::JoinReply;
using signalbox::store::JoinRequest;
using signalbox::store::LeaveReply;
using signalbox::store::Reconciler;
using signalbox::store::Registry;
using signalbox::store::Reply;
using signalbox::store::Rooms;
using signalbox::store::Script;
using signalbox::test::assert_members;
using signalbox::test::await;
using signalbox::test::Client;
using signalbox::test::ClusterServers;
using signalbox::test::NodesEar;
using signalbox::test::QuietNode;
using signalbox::test::RedisServer;
using signalbox::test::run_until;

namespace keys = signalbox::store;

using Join = JoinReply::Result;
using Leave = LeaveReply::Result;

std::unique_ptr<ClusterServers> cluster;

// A node in front of one Redis, or of a cluster, as the options say.
struct Engine {
  Engine(Loop& loop, Options options) : client(loop, std::move(options)) {
    client.redis->set_on_state([this](bool connected) { registry.on_connection(connected); });
    run_until(loop, [this] { return registry.registered(); });
  }
  // What still waits is answered while those who asked are there.
  ~Engine() { client.redis->close(); }

  std::string own(const std::string& name) const { return registry.id() + name; }
  JoinReply join(const std::string& room, const std::string& socket, const std::string& who = "",
                 const std::string& secret = "") {
    return await<JoinReply>(client.loop, [&](std::function<void(JoinReply)> done) {
      JoinRequest request;
      request.room = room;
      request.socket = socket;
      request.who = who;
      request.secret = secret;
      rooms->join(request, std::move(done));
    });
  }
  LeaveReply leave(const std::string& room, const std::string& socket,
                   const std::string& who = "") {
    return await<LeaveReply>(client.loop, [&](std::function<void(LeaveReply)> done) {
      rooms->leave(room, socket, who, std::move(done));
    });
  }
  LeaveReply clean(const Departed& departed, const std::string& room, const std::string& socket) {
    return await<LeaveReply>(client.loop, [&](std::function<void(LeaveReply)> done) {
      rooms->clean(departed, room, socket, std::move(done));
    });
  }
  int64_t set_aside(const Departed& departed) {
    return await<int64_t>(client.loop, [&](std::function<void(int64_t)> done) {
      rooms->set_aside(departed, std::move(done));
    });
  }
  BindReply bind(const std::vector<Binding>& bindings) {
    return await<BindReply>(client.loop, [&](std::function<void(BindReply)> done) {
      rooms->bind(bindings, std::move(done));
    });
  }
  CreateResult create(const std::string& room) { return create_as({.room = room}).result; }
  CreateReply create_as(const CreateRequest& request) {
    return await<CreateReply>(client.loop, [&](std::function<void(CreateReply)> done) {
      rooms->create(request, std::move(done));
    });
  }
  CheckResult check(const std::string& room) { return check_by(room, "").result; }
  CheckReply check_by(const std::string& room, const std::string& who) {
    return await<CheckReply>(client.loop, [&](std::function<void(CheckReply)> done) {
      rooms->check(room, who, std::move(done));
    });
  }
  std::vector<std::string> members(const std::string& room) {
    return await<std::vector<std::string>>(client.loop,
                                           [&](std::function<void(std::vector<std::string>)> done) {
                                             rooms->members(room, std::move(done));
                                           });
  }

  Client client;
  QuietNode node;
  Registry registry{client.loop, client.log, client.options, *client.redis, node};
  std::unique_ptr<Rooms> rooms = make_rooms(*client.redis, client.options, registry);
};

// What a registration has done, whoever did it, step by step as the scripts do.
struct Steps {
  Client& client;
  std::string node;
  std::string secret = "somebodys-secret";
  int number = 1;

  std::string run(const Script& script, const std::vector<std::string>& script_keys,
                  const std::vector<std::string>& arguments) const {
    const Reply reply = await<Reply>(client.loop, [&](std::function<void(const Reply&)> done) {
      client.redis->script(script, script_keys, arguments, std::move(done));
    });
    return reply.elements.empty() ? reply.text : reply.elements[0].text;
  }
  std::vector<std::string> room_keys(const std::string& room) const {
    return {keys::tagged_room_key(room), keys::tagged_room_sockets_key(room),
            keys::tagged_room_nodes_key(room)};
  }
  std::string token() const { return secret + ":" + std::to_string(number); }
  std::string raise() const {
    return run(keys::raise_fence_script(), {keys::node_fence_key(node)},
               {secret, std::to_string(number), "90000"});
  }
  std::string enlist(const std::string& room, const std::string& socket) const {
    return run(keys::enlist_script(), {keys::node_fence_key(node), keys::node_sockets_key(node)},
               {token(), room, socket, "90000"});
  }
  std::string enter(const std::string& room, const std::string& socket) const {
    return run(keys::enter_script(), room_keys(room),
               {"join", socket, "100", "86400", secret, std::to_string(number), node,
                keys::node_channel(""), "joined", "rejoined", ""});
  }
  std::string exit(const std::string& room, const std::string& socket) const {
    return run(keys::exit_script(), room_keys(room),
               {"leave", socket, "900", secret, std::to_string(number), "3600", node,
                keys::node_channel(""), "left"});
  }
  void set(const std::string& room, const std::string& socket) const {
    client.call({"SET", keys::socket_key(socket), room, "EX", "90000"});
  }
  // All of them.
  void join(const std::string& room, const std::string& socket) const {
    assert_string_equal(enlist(room, socket).c_str(), "listed");
    assert_string_equal(enter(room, socket).c_str(), "joined");
    set(room, socket);
  }
};

struct Test {
  explicit Test(Options options = cluster->options())
      : engine((empty(), loop), std::move(options)), self(engine.registry.id()) {}

  static void empty() {
    for (size_t i = 0; i < cluster->nodes.size(); ++i) cluster->change(i, {"FLUSHALL"});
  }
  // The steps of another node, which is registered.
  Steps other(const std::string& node = "bbbb") {
    Steps steps{engine.client, node};
    assert_string_equal(steps.raise().c_str(), "raised");
    return steps;
  }
  // Those of this one, at its present registration.
  Steps own_steps() {
    return {engine.client, self, engine.registry.secret(),
            static_cast<int>(engine.registry.number())};
  }
  // Leaves that node to us.
  Departed claim(const Steps& steps) {
    engine.client.call({"HSET", keys::node_key(steps.node), "departed", steps.token()});
    engine.client.call({"HSET", keys::node_key(steps.node), "cleaner", self});
    engine.client.call({"ZADD", keys::nodes_key(), "99999999999999", steps.node});
    return {steps.node, steps.token()};
  }

  int64_t integer(std::vector<std::string> command) {
    return engine.client.integer(std::move(command));
  }
  bool exists(const std::string& key) { return integer({"EXISTS", key}) == 1; }
  // What Redis has of a socket: whether it is in the room, bound to it, and listed.
  std::string state(const std::string& socket, const std::string& room = "r") {
    std::string text;
    if (integer({"SISMEMBER", keys::tagged_room_sockets_key(room), socket}) == 1) text += "in ";
    const std::string bound = engine.client.call({"GET", keys::socket_key(socket)}).text;
    if (bound == room) text += "bound ";
    const std::string node(keys::node_of(socket));
    for (const std::string& index : {keys::node_sockets_key(node), keys::node_left_key(node)}) {
      if (engine.client.call({"HGET", index, socket}).text == room) text += "listed ";
    }
    return text;
  }
  void assert_state(const std::string& socket, const std::string& expected) {
    assert_string_equal(state(socket).c_str(), expected.c_str());
  }
  std::set<std::string> all_keys() {
    std::set<std::string> all;
    for (size_t i = 0; i < cluster->nodes.size(); ++i) {
      for (const Reply& key : cluster->admin(i, {"KEYS", "*"}).elements) all.insert(key.text);
    }
    return all;
  }

  Loop loop;
  Engine engine;
  const std::string self;
};

constexpr const char* kWhole = "in bound listed ";

// The same answers as on one Redis

const char* name(Join result) {
  switch (result) {
    case Join::kJoined:
      return "joined";
    case Join::kBoundElsewhere:
      return "elsewhere";
    case Join::kLimited:
      return "limited";
    case Join::kRoomAbsent:
      return "absent";
    case Join::kSecretWrong:
      return "secret";
    case Join::kRoomFull:
      return "full";
    case Join::kUnavailable:
      return "unavailable";
  }
  return "";
}

const char* name(Leave result) {
  switch (result) {
    case Leave::kLeft:
      return "left";
    case Leave::kNotMember:
      return "no member";
    case Leave::kRoomAbsent:
      return "absent";
    case Leave::kLimited:
      return "limited";
    case Leave::kLost:
      return "lost";
    case Leave::kUnavailable:
      return "unavailable";
  }
  return "";
}

// What a row of calls answers, without the node's own id.
std::vector<std::string> play(Engine& engine) {
  std::vector<std::string> answers;
  const auto list = [&](std::vector<std::string> members) {
    for (std::string& id : members)
      id = keys::node_of(id) == engine.registry.id() ? id.substr(4) : id;
    std::sort(members.begin(), members.end());
    std::string text;
    for (const std::string& id : members) text += " " + id;
    return text;
  };
  const auto create = [&](const std::string& room) {
    answers.push_back(engine.create(room) == CreateResult::kCreated ? "created" : "exists");
  };
  const auto check = [&](const std::string& room) {
    answers.push_back(engine.check(room) == CheckResult::kPresent ? "present" : "absent");
  };
  const auto join = [&](const std::string& room, const std::string& socket,
                        const std::string& who = "") {
    const JoinReply reply = engine.join(room, engine.own(socket), who);
    answers.push_back(name(reply.result) + std::string(reply.rejoined ? " again" : "") +
                      list(reply.members) + " " + std::to_string(reply.refusal.retry_after_s) +
                      " " + std::to_string(reply.refusal.attempts_left));
  };
  const auto leave = [&](const std::string& room, const std::string& socket) {
    const LeaveReply reply = engine.leave(room, socket);
    answers.push_back(name(reply.result) + list(reply.members));
  };
  const auto bind = [&](const std::vector<Binding>& bindings) {
    const BindReply reply = engine.bind(bindings);
    std::string text = reply.bound ? "bound" : "not bound";
    for (size_t i = 0; i < bindings.size(); ++i) {
      text += reply.was_bound[i] ? ", was:" : ", new:";
      text += list(reply.members[i]);
    }
    answers.push_back(text);
  };

  check("r");
  join("r", "1");
  create("r");
  create("r");
  check("r");
  join("r", "1");
  join("r", "1");
  join("r", "2", "a client");
  join("r", "3");
  join("no", "3", "a client");
  join("r", "4", "a client");
  leave("r", engine.own("4"));
  leave("r", "bbbb1");
  leave("no", engine.own("4"));
  leave("r", engine.own("1"));
  leave("r", engine.own("1"));
  join("r", "1");
  bind({{"r", engine.own("1")}, {"r", engine.own("5")}, {"s", engine.own("6")}});
  check("s");
  answers.push_back(list(engine.members("r")));
  answers.push_back(list(engine.members("nobody")));
  for (const std::string odd : {"{", "}", "{}", "%7D", "a:sockets", "a", "r\xc3\xa4um", "\r\n"}) {
    create(odd);
    join(odd, "in " + odd);
    leave(odd, engine.own("in " + odd));
    check(odd);
  }
  return answers;
}

// The same of limits, and of rooms with a secret or a capacity of their own. `guesser` may guess
// twice, each address create twice and check three times.
std::vector<std::string> play_limits(Engine& engine) {
  std::vector<std::string> answers;
  const auto wait = [](const keys::Refusal& refusal) {
    return refusal.retry_after_s == 0 ? std::string() : ", later";
  };
  const auto create = [&](const CreateRequest& request) {
    const CreateReply reply = engine.create_as(request);
    answers.push_back(std::to_string(static_cast<int>(reply.result)) + wait(reply.refusal));
  };
  const auto check = [&](const std::string& room, const std::string& who) {
    const CheckReply reply = engine.check_by(room, who);
    answers.push_back(std::to_string(static_cast<int>(reply.result)) + wait(reply.refusal));
  };
  const auto join = [&](const std::string& room, const std::string& socket, const std::string& who,
                        const std::string& secret = "") {
    const JoinReply reply = engine.join(room, engine.own(socket), who, secret);
    answers.push_back(name(reply.result) + wait(reply.refusal));
  };
  const auto leave = [&](const std::string& room, const std::string& socket,
                         const std::string& who) {
    const LeaveReply reply = engine.leave(room, engine.own(socket), who);
    answers.push_back(name(reply.result) + wait(reply.refusal));
  };

  create({.room = "a", .who = "creator"});
  create({.room = "a", .who = "creator"});
  create({.room = "b", .who = "creator"});
  create({.room = "b", .who = "another", .named = false});
  create({.room = "c", .who = "namer"});
  create({.room = "d", .who = "namer"});
  check("a", "namer");  // has guessed twice
  for (int i = 0; i < 4; ++i) check("a", "checker");
  check("no", "guesser");
  join("no", "1", "guesser");
  join("a", "1", "guesser");
  join("no", "1", "guesser");
  check("a", "guesser");
  create({.room = "e", .who = "guesser"});
  leave("a", "1", "guesser");
  leave("no", "1", "leaver");
  leave("a", "1", "leaver");
  join("a", "1", "leaver");

  create({.room = "private", .secret = "open sesame", .capacity = 2});
  create({.room = "private", .secret = "mine now", .capacity = 3});
  join("private", "2", "thief");
  join("private", "2", "thief", "mine now");
  join("private", "2", "thief", "open sesame");
  join("private", "2", "friend", "open sesame");
  join("private", "2", "friend");  // is in
  join("private", "3", "", "open sesame");
  join("private", "4", "", "open sesame");  // full
  join("a", "5", "friend", "open sesame");  // has no secret
  create({.room = "large", .capacity = 100});
  for (const char* socket : {"6", "7", "8", "9"}) join("large", socket, "");
  return answers;
}

void limits_and_secrets_are_the_same_as_on_one_redis(void**) {
  Options options = cluster->options();
  options.limits_join_enabled = false;
  options.limits_room_size = 3;
  options.limits_create_count = 2;
  options.limits_check_count = 3;
  options.limits_guess_count = 2;
  Test test(options);
  RedisServer one;
  options.redis_cluster = false;
  options.redis_url = one.url();
  Engine reference(test.loop, options);
  const std::vector<std::string> expected = {"0",
                                             "1",
                                             "2, later",
                                             "0",
                                             "0",
                                             "0",
                                             "2, later",  // to the name of rooms
                                             "1",
                                             "1",
                                             "1",
                                             "2, later",  // checker
                                             "0",
                                             "absent",
                                             "limited, later",
                                             "limited, later",  // guesser
                                             "2, later",
                                             "2, later",
                                             "limited, later",  //
                                             "absent",
                                             "no member",
                                             "limited, later",  // leaver
                                             "0",
                                             "1",
                                             "secret",
                                             "secret",
                                             "limited, later",  // private
                                             "joined",
                                             "joined",
                                             "joined",
                                             "full",
                                             "secret",  //
                                             "0",
                                             "joined",
                                             "joined",
                                             "joined",
                                             "full"};  // large
  for (Engine* engine : {&reference, &test.engine}) {
    const std::vector<std::string> answers = play_limits(*engine);
    assert_int_equal(answers.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      if (answers[i] != expected[i]) print_error("call %zu\n", i);
      assert_string_equal(answers[i].c_str(), expected[i].c_str());
    }
  }
}

void answers_are_the_same_as_on_one_redis(void**) {
  Options options = cluster->options();
  options.limits_room_size = 2;
  options.limits_join_count = 2;
  Test test(options);
  RedisServer one;
  options.redis_cluster = false;
  options.redis_url = one.url();
  Engine reference(test.loop, options);
  const std::vector<std::string> expected = play(reference);
  const std::vector<std::string> answers = play(test.engine);
  assert_int_equal(answers.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    if (answers[i] != expected[i]) print_error("call %zu\n", i);
    assert_string_equal(answers[i].c_str(), expected[i].c_str());
  }
}

void a_join_makes_these_keys_and_each_has_its_time(void**) {
  Test test;
  test.engine.create("r");
  test.engine.join("r", test.engine.own("1"));
  test.assert_state(test.engine.own("1"), kWhole);
  const std::set<std::string> expected = {
      "room:{r}",
      "room:{r}:nodes",
      "room:{r}:sockets",
      "signalbox:node:{" + test.self + "}",
      "signalbox:node:{" + test.self + "}:sockets",
      "signalbox:{nodes}",
      "signalbox:{nodes}:" + test.self,
      "socket:" + test.engine.own("1"),
  };
  assert_true(test.all_keys() == expected);
  for (const std::string& key : expected) {
    const int64_t least = key.starts_with("room:") ? 86'390 : 89'990;
    assert_in_range(test.integer({"TTL", key}), least, 90'000);
  }
  test.engine.leave("r", test.engine.own("1"));
  run_until(test.loop, [&] { return test.state(test.engine.own("1")).empty(); });
  assert_in_range(test.integer({"TTL", "room:{r}"}), 890, 900);
  // What a room knows of its nodes must outlive what they have sent, and need not for longer.
  assert_in_range(test.integer({"TTL", "room:{r}:nodes"}), 3590, 3600);
}

void others_are_told(void**) {
  Test test;
  const Steps other = test.other();
  NodesEar ear(test.loop, cluster->url(0), {test.self, "bbbb"});
  // From several masters: in no order.
  const auto assert_told = [&](std::vector<std::string> expected) {
    run_until(test.loop, [&] { return ear.heard.size() >= expected.size(); });
    std::vector<std::string> all;
    for (const auto& [to, message] : std::exchange(ear.heard, {})) {
      all.push_back(to + " " + std::to_string(static_cast<int>(message.kind)) + " " + message.room +
                    " " + message.socket);
    }
    assert_members(all, std::move(expected));
  };
  const auto said = [](const std::string& to, keys::EnvelopeKind kind, const std::string& socket) {
    return to + " " + std::to_string(static_cast<int>(kind)) + " r " + socket;
  };
  using Kind = keys::EnvelopeKind;
  const std::string one = test.engine.own("1");
  test.engine.create("r");
  test.engine.join("r", one);
  other.join("r", "bbbb1");
  run_until(test.loop, [&] { return !ear.heard.empty(); });
  ear.heard.clear();  // what that said is not for us
  test.engine.join("r", test.engine.own("2"));
  assert_told({said("bbbb", Kind::kJoined, test.engine.own("2"))});
  test.engine.leave("r", one);
  assert_told({said("bbbb", Kind::kLeft, one)});
  test.engine.leave("r", "bbbb1");
  assert_told({said("bbbb", Kind::kEvicted, "bbbb1"), said(test.self, Kind::kEvicted, "bbbb1")});
}

void answers_and_news_bear_the_time_of_the_rooms_master(void**) {
  Test test;
  const Steps other = test.other();
  NodesEar ear(test.loop, cluster->url(0), {"bbbb"});
  const auto told = [&] {
    run_until(test.loop, [&] { return !ear.heard.empty(); });
    const uint64_t stamp = ear.heard.front().second.stamp;
    ear.heard.erase(ear.heard.begin());
    return stamp;
  };
  test.engine.create("r");
  const std::string one = test.engine.own("1");
  assert_true(test.engine.join("r", one).stamp > 0);
  other.join("r", "bbbb1");
  const JoinReply again = test.engine.join("r", one);
  assert_true(told() == again.stamp);
  const JoinReply join = test.engine.join("r", test.engine.own("2"));
  assert_true(join.stamp > again.stamp);
  assert_true(told() == join.stamp);
  const BindReply bind =
      test.engine.bind({{"r", test.engine.own("3")}, {"s", test.engine.own("4")}});
  assert_int_equal(bind.stamps.size(), 2);
  assert_true(bind.stamps[0] > join.stamp && bind.stamps[1] > join.stamp);
  assert_true(told() == bind.stamps[0]);
  test.engine.leave("r", one);
  assert_true(told() > bind.stamps[0]);
}

// What comes late

void a_node_whose_fence_is_gone_registers_and_goes_on(void**) {
  Test test;
  test.engine.create("r");
  const uint64_t number = test.engine.registry.number();
  test.integer({"DEL", keys::node_fence_key(test.self)});
  assert_true(test.engine.join("r", test.engine.own("1")).result == Join::kJoined);
  assert_true(test.engine.registry.number() > number);
  test.assert_state(test.engine.own("1"), kWhole);
  test.integer({"DEL", keys::node_fence_key(test.self)});
  assert_false(test.engine.bind({{"r", test.engine.own("2")}}).bound);
  test.assert_state(test.engine.own("2"), "");
  run_until(test.loop, [&] { return test.engine.registry.registered(); });
  assert_true(test.engine.bind({{"r", test.engine.own("2")}}).bound);
}

void a_node_that_was_given_up_changes_nothing(void**) {
  Options options = cluster->options();
  options.redis_command_timeout = 300;
  Test test(options);
  const Steps old = test.own_steps();
  test.engine.create("r");
  test.engine.join("r", test.engine.own("1"));
  // By a cleaner that goes on for ever.
  test.engine.client.call({"HSET", keys::node_key(test.self), "cleaner", "busy"});
  test.engine.client.call({"HDEL", keys::node_key(test.self), "token"});
  test.engine.client.call({"ZADD", keys::nodes_key(), "99999999999999", test.self});
  test.engine.client.call({"DEL", keys::node_fence_key(test.self)});
  assert_true(test.engine.join("r", test.engine.own("2")).result == Join::kUnavailable);
  assert_false(test.engine.bind({{"r", test.engine.own("2")}}).bound);
  test.assert_state(test.engine.own("2"), "");
  test.assert_state(test.engine.own("1"), kWhole);
}

void commands_of_an_earlier_registration_are_refused(void**) {
  Test test;
  Steps steps = test.other();
  test.engine.create("r");
  const Steps earlier = steps;
  ++steps.number;
  assert_string_equal(steps.raise().c_str(), "raised");
  assert_string_equal(earlier.raise().c_str(), "old");
  assert_string_equal(earlier.enlist("r", "bbbb1").c_str(), "lost");
  steps.join("r", "bbbb1");
  assert_string_equal(earlier.exit("r", "bbbb1").c_str(), "lost");
  assert_string_equal(earlier.enter("r", "bbbb2").c_str(), "lost");
  test.assert_state("bbbb1", kWhole);
  test.assert_state("bbbb2", "");
}

// The check of a later registration has taken out what was enlisted: then the room is closed to it.
void a_join_that_was_taken_back_does_not_come_after_all(void**) {
  Test test;
  Steps steps = test.other();
  test.engine.create("r");
  const Steps earlier = steps;
  assert_string_equal(earlier.enlist("r", "bbbb1").c_str(), "listed");
  ++steps.number;
  steps.raise();
  assert_string_equal(steps.exit("r", "bbbb1").c_str(), "stranger");
  assert_string_equal(earlier.enter("r", "bbbb1").c_str(), "lost");
}

void what_a_departed_node_had_sent_is_refused(void**) {
  Test test;
  const Steps steps = test.other();
  test.engine.create("r");
  test.engine.create("s");
  steps.join("r", "bbbb1");
  steps.enlist("r", "bbbb2");
  steps.enlist("s", "bbbb3");
  const Departed departed = test.claim(steps);
  assert_int_equal(test.engine.set_aside(departed), 3);
  assert_string_equal(steps.enlist("r", "bbbb4").c_str(), "lost");
  assert_true(test.engine.clean(departed, "r", "bbbb1").result == Leave::kLeft);
  assert_true(test.engine.clean(departed, "r", "bbbb2").result == Leave::kNotMember);
  assert_true(test.engine.clean(departed, "s", "bbbb3").result == Leave::kNotMember);
  assert_string_equal(steps.enter("r", "bbbb2").c_str(), "lost");
  assert_string_equal(steps.enter("s", "bbbb3").c_str(), "lost");
  // Nor does a leave of its own make it a registration that holds.
  steps.exit("r", "bbbb1");
  assert_string_equal(steps.enter("r", "bbbb2").c_str(), "lost");
  // It has registered again since.
  Steps back = steps;
  ++back.number;
  back.raise();
  back.join("r", "bbbb2");
  test.assert_state("bbbb2", kWhole);
}

void a_cleaner_that_comes_late_changes_nothing(void**) {
  Test test;
  Steps steps = test.other();
  test.engine.create("r");
  steps.join("r", "bbbb1");
  const Departed departed = test.claim(steps);
  ++steps.number;
  steps.raise();
  steps.join("r", "bbbb1");
  assert_int_equal(test.engine.set_aside(departed), -1);
  assert_true(test.engine.clean(departed, "r", "bbbb1").result == Leave::kLost);
  test.assert_state("bbbb1", kWhole);
  // Another node that has taken the id.
  Steps namesake = steps;
  namesake.secret = "another-secret";
  namesake.number = 1;
  namesake.raise();
  assert_int_equal(test.engine.set_aside({steps.node, steps.token()}), -1);
}

// What ends between two steps

// Sockets of which some steps have been done: joined, all but the last, the first only; left, but
// for what comes after the room.
std::vector<std::string> leave_half_done(const Steps& steps) {
  const auto socket = [&](const char* name) { return steps.node + name; };
  steps.join("r", socket("joined"));
  steps.enlist("r", socket("entered"));
  steps.enter("r", socket("entered"));
  steps.enlist("r", socket("enlisted"));
  steps.join("r", socket("exited"));
  steps.exit("r", socket("exited"));
  return {socket("joined"), socket("entered"), socket("enlisted"), socket("exited")};
}

void a_clean_up_finds_what_was_left_half_done(void**) {
  Test test;
  test.engine.create("r");
  test.engine.join("r", test.engine.own("1"));
  const Steps steps = test.other();
  const std::vector<std::string> sockets = leave_half_done(steps);
  assert_string_equal(test.state(sockets[1]).c_str(), "in listed ");
  assert_string_equal(test.state(sockets[2]).c_str(), "listed ");
  assert_string_equal(test.state(sockets[3]).c_str(), "bound listed ");
  test.claim(steps);
  Counters counters;
  Client& client = test.engine.client;
  Cleaner cleaner(client.log, counters, *client.redis, test.engine.registry, *test.engine.rooms);
  cleaner.clean(steps.node);
  run_until(test.loop, [&] { return counters.nodes_cleaned == 1; });
  for (const std::string& socket : sockets) test.assert_state(socket, "");
  assert_members(test.engine.members("r"), {test.engine.own("1")});
  run_until(test.loop, [&] { return !test.exists(keys::node_key(steps.node)); });
  for (const std::string& key : {keys::node_fence_key(steps.node), keys::node_left_key(steps.node),
                                 keys::node_sockets_key(steps.node)}) {
    assert_false(test.exists(key));
  }
}

// The sockets that a node has, all of them in "r".
struct Sockets : Reconciler::Listener {
  std::vector<Binding> bindings() override {
    std::vector<Binding> all;
    for (const std::string& id : live) all.push_back({"r", id});
    return all;
  }
  bool is_bound(const Binding& binding) override { return live.contains(binding.socket); }
  bool may_be_bound(const Binding& binding) override { return is_bound(binding); }
  void on_asking(const std::vector<Binding>&) override {}
  void on_members(const std::string&, const std::vector<std::string>& in_room, uint64_t,
                  bool) override {
    members = in_room;
  }
  void on_asked() override { ++asked; }

  std::set<std::string> live;
  std::vector<std::string> members;
  size_t asked = 0;
};

void a_check_finds_what_was_left_half_done(void**) {
  Test test;
  test.engine.create("r");
  std::vector<std::string> sockets = leave_half_done(test.own_steps());
  Counters counters;
  Client& client = test.engine.client;
  Sockets alive;
  Reconciler reconciler(test.loop, client.options, counters, *client.redis, test.engine.registry,
                        *test.engine.rooms, alive);
  // All of them live: now they are bound.
  alive.live = {sockets.begin(), sockets.end()};
  reconciler.on_registered();
  run_until(test.loop, [&] { return alive.asked == 1; });
  for (const std::string& socket : sockets) {
    run_until(test.loop, [&] { return test.state(socket) == kWhole; });
  }
  assert_members(alive.members, sockets);
  // None of them: now they are not.
  alive.live.clear();
  leave_half_done(test.own_steps());
  reconciler.check();
  for (const std::string& socket : sockets) {
    run_until(test.loop, [&] { return test.state(socket).empty(); });
  }
  assert_false(test.exists("room:{r}:sockets"));
  assert_false(test.exists(keys::node_sockets_key(test.self)));
}

// Its index, its room and its own key are on different masters, which answer in no order.
void operations_of_one_socket_follow_each_other(void**) {
  Test test;
  const size_t count = 60;
  std::map<std::string, std::vector<std::string>> answers;
  size_t due = 0;
  const auto join = [&](const std::string& socket, const std::string& room) {
    ++due;
    JoinRequest request;
    request.room = room;
    request.socket = socket;
    test.engine.rooms->join(request, [&, socket](const JoinReply& reply) {
      --due;
      answers[socket].push_back(name(reply.result));
    });
  };
  const auto leave = [&](const std::string& socket, const std::string& room) {
    ++due;
    test.engine.rooms->leave(room, socket, {}, [&, socket](const LeaveReply& reply) {
      --due;
      answers[socket].push_back(name(reply.result));
    });
  };
  for (size_t i = 0; i < count; ++i) {
    test.engine.create("room " + std::to_string(i));
    test.engine.create("next " + std::to_string(i));
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string socket = test.engine.own(std::to_string(i));
    const std::string room = "room " + std::to_string(i);
    join(socket, room);
    leave(socket, room);
    join(socket, "none " + std::to_string(i));
    join(socket, room);
    leave(socket, room);
    join(socket, "next " + std::to_string(i));
  }
  run_until(test.loop, [&] { return due == 0; });
  const std::vector<std::string> expected = {"joined", "left", "absent",
                                             "joined", "left", "joined"};
  for (size_t i = 0; i < count; ++i) {
    const std::string socket = test.engine.own(std::to_string(i));
    assert_true(answers[socket] == expected);
    run_until(test.loop, [&] { return test.state(socket, "next " + std::to_string(i)) == kWhole; });
    assert_true(test.state(socket, "room " + std::to_string(i)).empty());
  }
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  cluster = std::make_unique<ClusterServers>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_the_same_as_on_one_redis),
      cmocka_unit_test(limits_and_secrets_are_the_same_as_on_one_redis),
      cmocka_unit_test(a_join_makes_these_keys_and_each_has_its_time),
      cmocka_unit_test(others_are_told),
      cmocka_unit_test(answers_and_news_bear_the_time_of_the_rooms_master),
      cmocka_unit_test(a_node_whose_fence_is_gone_registers_and_goes_on),
      cmocka_unit_test(a_node_that_was_given_up_changes_nothing),
      cmocka_unit_test(commands_of_an_earlier_registration_are_refused),
      cmocka_unit_test(a_join_that_was_taken_back_does_not_come_after_all),
      cmocka_unit_test(what_a_departed_node_had_sent_is_refused),
      cmocka_unit_test(a_cleaner_that_comes_late_changes_nothing),
      cmocka_unit_test(a_clean_up_finds_what_was_left_half_done),
      cmocka_unit_test(a_check_finds_what_was_left_half_done),
      cmocka_unit_test(operations_of_one_socket_follow_each_other),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  cluster.reset();
  return failed;
}
