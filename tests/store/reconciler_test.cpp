// Redis and a node agree again after either has missed something.
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "engine/store/reconciler.h"
#include "engine/store/room_scripts.h"
#include "tests/lib/stopwatch.h"
#include "tests/store/nodes_fixture.h"

namespace {

using signalbox::Timer;
using signalbox::store::Binding;
using signalbox::store::node_sockets_key;
using signalbox::store::Reconciler;
using signalbox::store::Reply;
using signalbox::test::NodesEar;
using signalbox::test::NodesTest;
using signalbox::test::RedisServer;
using signalbox::test::run_for;
using signalbox::test::run_until;
using signalbox::test::Stopwatch;
using signalbox::test::TestNode;

constexpr size_t kPage = 50;
constexpr uint64_t kSettleMs = 5000;

std::unique_ptr<RedisServer> server;

// The sockets of a node, as the reconciler sees them, and what it tells of the others.
struct Sockets : Reconciler::Listener {
  struct Answer {
    std::string room;
    std::vector<std::string> members;
    bool final;
  };

  static bool has(const std::vector<Binding>& all, const Binding& binding) {
    return std::any_of(all.begin(), all.end(), [&](const Binding& each) {
      return each.room == binding.room && each.socket == binding.socket;
    });
  }
  std::vector<Binding> bindings() override {
    starve(1);
    return bound;
  }
  bool is_bound(const Binding& binding) override { return has(bound, binding); }
  bool may_be_bound(const Binding& binding) override {
    return has(bound, binding) || has(joining, binding);
  }
  void on_asking(const std::vector<Binding>& page) override {
    nested = nested || asking;
    asking = true;
    pages.push_back(page.size());
    starve(2);
    if (on_page) on_page();
  }
  void on_asked() override {
    nested = nested || !asking;
    asking = false;
  }
  void on_members(const std::string& room, const std::vector<std::string>& members,
                  uint64_t /*stamp*/, bool final) override {
    nested = nested || !asking;
    starve(3);
    answers.push_back({room, members, final});
  }
  // Memory runs out at that place, once.
  void starve(int place) {
    if (place == starves) {
      starves = 0;
      throw std::bad_alloc();
    }
  }

  std::vector<Binding> bound;
  std::vector<Binding> joining;
  std::vector<size_t> pages;  // how many bindings each question was about
  bool asking = false;
  bool nested = false;  // two questions at a time, or an answer to none
  std::vector<Answer> answers;
  std::function<void()> on_page;
  int starves = 0;
};

struct Test : NodesTest {
  Test() : NodesTest(*server) {
    options.node_ttl = 2000;
    node = &add();
    reconciler = std::make_unique<Reconciler>(loop, node->options, node->counters, node->redis,
                                              node->registry, node->rooms, sockets);
  }
  ~Test() {
    for (const auto& each : nodes) each->die();  // which answers what the reconciler waits for
  }

  // Sockets that are there, and that Redis knows nothing of; two in a room.
  void have(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      sockets.bound.push_back({"room" + std::to_string(i / 2), node->socket(std::to_string(i))});
    }
  }
  bool knows(const Binding& binding) {
    return client.integer({"SISMEMBER", "room:" + binding.room + ":sockets", binding.socket}) ==
               1 &&
           client.call({"GET", "socket:" + binding.socket}).text == binding.room &&
           client.call({"HGET", node_sockets_key(node->id()), binding.socket}).text == binding.room;
  }
  void assert_in_agreement() {
    for (const Binding& each : sockets.bound) assert_true(knows(each));
    assert_int_equal(client.integer({"HLEN", node_sockets_key(node->id())}), sockets.bound.size());
    assert_int_equal(client.call({"KEYS", "socket:" + node->id() + "*"}).elements.size(),
                     sockets.bound.size());
    assert_false(sockets.nested);
  }
  void wait_for_answers(size_t count) {
    run_until(loop, [&] { return sockets.answers.size() >= count && !sockets.asking; });
  }

  TestNode* node;
  Sockets sockets;
  std::unique_ptr<Reconciler> reconciler;
};

void both_are_made_to_agree_twice(void**) {
  Test test;
  test.have(120);
  // Those that have gone, in rooms where somebody else still is; more than a page of the index.
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const std::string room = "old" + std::to_string(i % 10);
    const std::string socket = test.node->socket("gone" + std::to_string(i));
    test.pretend_member(room, socket);
    expected.push_back("bbbb left " + room + ' ' + socket);
  }
  for (int i = 0; i < 10; ++i)
    test.pretend_member("old" + std::to_string(i), "bbbb" + std::to_string(i));
  // Somebody else is in a room of ours, too, as Redis knows and we do not.
  test.pretend_member("room0", "bbbbX");
  for (const size_t i : {0, 1})
    expected.push_back("bbbb joined room0 " + test.sockets.bound[i].socket);
  std::sort(expected.begin(), expected.end());
  NodesEar ear(test.loop, test.url, {"bbbb"});

  const Stopwatch watch;
  test.reconciler->on_registered();
  test.wait_for_answers(120);
  assert_took(watch, 0, 3000);
  assert_true(test.sockets.pages == (std::vector<size_t>{kPage, kPage, 20}));
  assert_true(ear.take(test.client) == expected);
  test.assert_in_agreement();
  for (const auto& [room, members, final] : test.sockets.answers) {
    assert_false(final);
    assert_int_equal(std::count(members.begin(), members.end(), "bbbbX"), room == "room0" ? 1 : 0);
  }
  assert_int_equal(test.node->counters.sockets_bound_again, 120);

  // Then the others have had time, and what Redis says is final. One socket has come meanwhile, and
  // two have gone.
  test.sockets.answers.clear();
  test.sockets.pages.clear();
  for (int i = 0; i < 2; ++i) {
    const Binding gone = test.sockets.bound.back();
    test.sockets.bound.pop_back();
    test.node->rooms.leave(gone.room, gone.socket, {}, [](const auto&) {});
  }
  test.sockets.bound.push_back({"late", test.node->socket("late")});
  test.node->rooms.bind({test.sockets.bound.back()}, [](const auto&) {});
  test.client.call({"SREM", "room:room0:sockets", "bbbbX"});
  run_for(test.loop, 1000);
  assert_true(test.sockets.pages.empty());
  test.wait_for_answers(119);
  assert_took(watch, kSettleMs - 20, kSettleMs + 2500);
  assert_true(test.sockets.pages == (std::vector<size_t>{kPage, kPage, 19}));
  for (const auto& [room, members, final] : test.sockets.answers) {
    assert_true(final);
    assert_int_equal(std::count(members.begin(), members.end(), "bbbbX"), 0);
  }
  test.assert_in_agreement();
}

void a_socket_that_is_joining_is_left_alone(void**) {
  Test test;
  test.pretend_member("r", test.node->socket("1"));
  test.sockets.joining = {{"r", test.node->socket("1")}};
  // In another room than Redis believes: that binding goes.
  test.pretend_member("s", test.node->socket("2"));
  test.sockets.bound = {{"t", test.node->socket("2")}};
  test.reconciler->on_registered();
  test.wait_for_answers(1);
  assert_true(test.knows({"r", test.node->socket("1")}));
  assert_true(test.knows({"t", test.node->socket("2")}));
  assert_false(test.exists("room:s:sockets"));
}

// Nor must anyone wait for the answer to a question that was not put.
void memory_that_runs_out_begins_the_pass_anew(void**) {
  for (const int place : {1, 2, 3}) {
    Test test;
    test.have(60);
    test.pretend_member("old", test.node->socket("gone"));
    test.sockets.starves = place;
    test.reconciler->on_registered();
    test.wait_for_answers(60);
    assert_int_equal(test.sockets.starves, 0);
    test.assert_in_agreement();
    assert_false(test.exists("room:old:sockets"));
  }
}

// Answers that belong to the earlier one are not told; all that it would have asked is.
void a_check_during_a_check_begins_anew(void**) {
  Test test;
  test.have(120);
  bool again = true;
  test.sockets.on_page = [&] {
    if (test.sockets.pages.size() != 2 || !std::exchange(again, false)) return;
    test.loop.post([&] { test.reconciler->on_registered(); });
  };
  test.reconciler->on_registered();
  test.wait_for_answers(kPage + 120);
  run_for(test.loop, 100);
  assert_int_equal(test.sockets.answers.size(), kPage + 120);
  assert_true(test.sockets.pages == (std::vector<size_t>{kPage, kPage, kPage, kPage, 20}));
  test.assert_in_agreement();
}

void a_lost_connection_is_made_up_for(void**) {
  Test test;
  test.have(120);
  test.node->on_registration = [&] { test.reconciler->on_registered(); };
  bool once = true;
  test.sockets.on_page = [&] {
    if (test.sockets.pages.size() == 2 && std::exchange(once, false)) {
      test.client.send({"CLIENT", "KILL", "TYPE", "normal"});
      test.client.send({"FLUSHALL"});
      server->pause();
      test.loop.post([] { server->resume(); });
    }
  };
  test.reconciler->on_registered();
  run_until(test.loop, [&] { return test.node->registered == 2; });
  run_until(test.loop, [&] { return test.client.redis->connected(); });
  assert_false(once);
  test.sockets.answers.clear();
  test.wait_for_answers(120);
  test.assert_in_agreement();
}

// Where only messages have been missed, the others have nothing to bind.
void what_redis_has_is_final_at_once_when_all_have_had_their_time(void**) {
  Test test;
  test.have(1);
  test.reconciler->on_registered();
  test.wait_for_answers(2);
  test.sockets.answers.clear();
  const Stopwatch watch;
  test.reconciler->check();
  test.wait_for_answers(2);
  assert_took(watch, 0, 2000);
  assert_false(test.sockets.answers[0].final);
  assert_true(test.sockets.answers[1].final);
}

// Emptied just before the second pass: others may still be binding theirs.
void what_was_not_bound_before_says_nothing_final(void**) {
  Test test;
  test.have(1);
  const Binding bound = test.sockets.bound[0];
  test.reconciler->on_registered();
  test.wait_for_answers(1);
  test.client.call({"DEL", "room:" + bound.room + ":sockets"});
  test.wait_for_answers(3);  // the second pass, and the first of a new check
  for (const auto& answer : test.sockets.answers) assert_false(answer.final);
  test.wait_for_answers(4);
  assert_true(test.sockets.answers.back().final);
}

// Who stays for longer than a room lives is still in it.
void rooms_of_sockets_do_not_run_out(void**) {
  Test test;
  test.have(120);
  test.reconciler->on_registered();
  test.wait_for_answers(240);  // both passes
  test.node->options.rooms_ttl = 2;
  for (const Reply& key : test.client.call({"KEYS", "room:*"}).elements) {
    test.client.integer({"EXPIRE", key.text, "2"});
  }
  const Stopwatch watch;
  Timer heartbeat(test.loop, [&] {
    test.reconciler->keep_alive();
    heartbeat.start(100);
  });
  heartbeat.start(0);
  while (watch.elapsed_ms() < 4000) {
    run_for(test.loop, 50);
    for (const Binding& each : test.sockets.bound) assert_true(test.knows(each));
  }
  // A pass in each half of their life, and no more.
  assert_in_range(test.sockets.answers.size(), 240 + 2 * 120, 240 + 4 * 120);
  assert_true(test.sockets.answers.back().final);
}

void nothing_happens_before_the_node_is_registered(void**) {
  Test test;
  test.have(3);
  test.client.call({"HSET", signalbox::store::node_key(test.node->id()), "cleaner", "busy"});
  test.set_lease(test.node->id(), 100'000);
  test.client.call({"HDEL", signalbox::store::node_key(test.node->id()), "token"});
  run_until(test.loop, [&] { return !test.node->registry.registered(); });
  test.reconciler->on_registered();
  run_for(test.loop, 600);
  assert_true(test.sockets.pages.empty());
  test.node->on_registration = [&] { test.reconciler->on_registered(); };
  test.client.call({"DEL", signalbox::store::node_key(test.node->id())});
  test.wait_for_answers(3);
  test.assert_in_agreement();
}

// Redis does not know the script that binds, but the one that takes sockets out: the one of a
// socket that goes just then comes first.
void a_socket_that_goes_while_it_is_bound_is_no_ghost(void**) {
  Test test;
  test.have(1);
  const Binding gone = test.sockets.bound[0];
  test.client.call({"SCRIPT", "FLUSH"});
  test.client.call({"SCRIPT", "LOAD", signalbox::store::leave_room_script().text()});
  bool left = false;
  test.sockets.on_page = [&] {
    test.loop.post([&] {
      test.sockets.bound.clear();
      test.node->rooms.leave(gone.room, gone.socket, {}, [&](const auto&) { left = true; });
    });
  };
  test.reconciler->on_registered();
  run_until(test.loop, [&] { return left && !test.sockets.asking; });
  run_for(test.loop, 50);
  test.assert_in_agreement();
  assert_false(test.exists("room:" + gone.room + ":sockets"));
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  server = std::make_unique<RedisServer>();
  const CMUnitTest tests[] = {
      cmocka_unit_test(both_are_made_to_agree_twice),
      cmocka_unit_test(a_socket_that_is_joining_is_left_alone),
      cmocka_unit_test(memory_that_runs_out_begins_the_pass_anew),
      cmocka_unit_test(a_check_during_a_check_begins_anew),
      cmocka_unit_test(a_lost_connection_is_made_up_for),
      cmocka_unit_test(what_redis_has_is_final_at_once_when_all_have_had_their_time),
      cmocka_unit_test(what_was_not_bound_before_says_nothing_final),
      cmocka_unit_test(rooms_of_sockets_do_not_run_out),
      cmocka_unit_test(nothing_happens_before_the_node_is_registered),
      cmocka_unit_test(a_socket_that_goes_while_it_is_bound_is_no_ghost),
  };
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  server.reset();
  return failed;
}
