#include "engine/core/loop.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/unit/unit_test.h"

using signalbox::EndOfTurn;
using signalbox::Loop;
using signalbox::Poll;
using signalbox::Timer;

namespace {

// Two connected sockets, closed at the end.
struct SocketPair {
  SocketPair() { assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0); }
  ~SocketPair() {
    close(fds[0]);
    hang_up();
  }
  void hang_up() {
    if (fds[1] >= 0) close(fds[1]);
    fds[1] = -1;
  }
  int fds[2];
};

void posted_tasks_run_in_their_order(void**) {
  Loop loop;
  std::string order;
  std::thread poster([&] {
    for (const char c : std::string("abcd")) loop.post([&, c] { order += c; });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  poster.join();
  assert_text_equal(order, "abcd");
}

void a_task_may_post(void**) {
  Loop loop;
  int runs = 0;
  std::function<void()> again = [&] {
    if (++runs == 3) {
      loop.stop();
    } else {
      loop.post(again);
    }
  };
  loop.post(again);
  loop.run();
  assert_int_equal(runs, 3);
}

void an_unrun_task_is_destroyed_with_its_loop(void**) {
  auto held = std::make_shared<int>(1);
  {
    Loop loop;
    loop.post([held] { fail(); });
    assert_int_equal(held.use_count(), 2);
  }
  assert_int_equal(held.use_count(), 1);
}

void a_wake_reaches_the_handler(void**) {
  Loop loop;
  int wakes = 0;
  loop.set_wake_handler([&] {
    ++wakes;
    loop.stop();
  });
  std::thread waker([&] { loop.wake(); });
  loop.run();
  waker.join();
  assert_int_equal(wakes, 1);
}

void a_timer_fires_once_and_may_destroy_itself(void**) {
  Loop loop;
  int fired = 0;
  auto timer = std::make_unique<Timer>(loop, [] {});
  timer = std::make_unique<Timer>(loop, [&] {
    ++fired;
    timer.reset();
    loop.stop();
  });
  timer->start(1);
  assert_true(timer->active());
  loop.run();
  assert_int_equal(fired, 1);
}

void starting_a_timer_again_moves_it_and_stopping_ends_it(void**) {
  Loop loop;
  std::string order;
  Timer moved(loop, [&] { order += 'm'; });
  Timer stopped(loop, [&] { order += 's'; });
  Timer first(loop, [&] { order += 'f'; });
  Timer last(loop, [&] { loop.stop(); });
  moved.start(1);
  moved.start(6);
  stopped.start(1);
  stopped.stop();
  assert_false(stopped.active());
  first.start(3);
  last.start(12);
  loop.run();
  assert_text_equal(order, "fm");
}

void the_end_of_a_turn_comes_once_behind_all_else(void**) {
  Loop loop;
  std::string order;
  auto end = std::make_unique<EndOfTurn>(loop, [&] { order += 'e'; });
  const auto begin = [&] {
    for (const char c : std::string("ab")) {
      loop.post([&, c] {
        end->start();
        order += c;
      });
    }
    while (!order.ends_with('e')) loop.turn(0);
    loop.turn(0);
  };
  begin();
  assert_text_equal(order, "abe");
  begin();
  assert_text_equal(order, "abeabe");
  end = std::make_unique<EndOfTurn>(loop, [&] {
    end.reset();
    order += 'e';
  });
  begin();
  assert_text_equal(order, "abeabeabe");
}

void a_poll_tells_readable_and_hang_up(void**) {
  Loop loop;
  SocketPair pair;
  std::string received;
  Poll poll(loop, pair.fds[0], [&](bool readable, bool) {
    assert_true(readable);
    char buffer[16];
    const ssize_t got = read(pair.fds[0], buffer, sizeof buffer);
    if (got <= 0) return loop.stop();
    received.append(buffer, static_cast<size_t>(got));
    pair.hang_up();
  });
  assert_true(poll.watch(true, false));
  assert_int_equal(write(pair.fds[1], "hello", 5), 5);
  loop.run();
  assert_text_equal(received, "hello");
}

void a_poll_tells_writable_can_pause_and_may_destroy_itself(void**) {
  Loop loop;
  SocketPair pair;
  std::string order;
  std::unique_ptr<Poll> poll = std::make_unique<Poll>(loop, pair.fds[0], [&](bool, bool writable) {
    assert_true(writable);
    order += 'w';
    poll.reset();
    loop.stop();
  });
  assert_true(poll->watch(false, true));
  assert_true(poll->watch(false, false));
  Timer resume(loop, [&] {
    order += 't';
    poll->watch(false, true);
  });
  resume.start(2);
  loop.run();
  assert_text_equal(order, "tw");
}

void a_loop_can_run_again(void**) {
  Loop loop;
  int runs = 0;
  for (int i = 0; i < 2; ++i) {
    loop.post([&] {
      ++runs;
      loop.stop();
    });
    loop.run();
  }
  assert_int_equal(runs, 2);
}

void an_exception_is_told_and_the_loop_goes_on(void**) {
  Loop loop;
  std::string told;
  loop.set_exception_handler([&](const char* what) { told += what; });
  SocketPair pair;
  Poll poll(loop, pair.fds[0], [&](bool, bool) {
    poll.watch(false, false);
    throw 1;
  });
  Timer timer(loop, [&] {
    poll.watch(false, true);
    throw std::runtime_error("timer ");
  });
  loop.set_wake_handler([&] {
    timer.start(0);
    throw std::runtime_error("wake ");
  });
  loop.post([] { throw std::runtime_error("task "); });
  // The last to be told is the Poll's.
  while (told.find("unknown") == std::string::npos) loop.turn(0);
  assert_text_equal(told, "task wake timer unknown exception");
}

void tasks_posted_between_turns_run_in_the_next(void**) {
  Loop loop;
  std::string order;
  loop.turn(0);
  for (int i = 0; i < 3; ++i) {
    loop.post([&] {
      order += 'a';
      loop.post([&] {
        order += 'c';
        loop.post([&] { order += 'd'; });
      });
    });
    loop.post([&] { order += 'b'; });
    assert_text_equal(order, "");
    while (order.size() < 4) {
      assert_int_equal(loop.timeout_ms(), 0);
      loop.turn(-1);  // does not wait while there is something to do
    }
    assert_text_equal(order, "abcd");
    order.clear();
  }
}

void endless_tasks_leave_others_their_turn(void**) {
  Loop loop;
  bool fired = false;
  std::function<void()> again = [&] { loop.post(again); };
  Timer timer(loop, [&] { fired = true; });
  timer.start(1);
  loop.post(again);
  while (!fired) loop.turn(0);
}

void a_long_chain_of_tasks_needs_no_event_to_go_on(void**) {
  Loop loop;
  int runs = 0;
  std::function<void()> again = [&] { ++runs < 100 ? (void)loop.post(again) : loop.stop(); };
  loop.post(again);
  loop.run();
  assert_int_equal(runs, 100);
}

void a_finished_loop_has_run_its_tasks_and_takes_no_more(void**) {
  Loop loop;
  std::string order;
  bool taken = true;
  assert_true(loop.post([&] { order += 'a'; }));
  assert_true(loop.post([&] {
    order += 'b';
    taken = loop.post([&] { order += 'c'; });
  }));
  loop.finish_tasks();
  assert_text_equal(order, "ab");
  assert_false(taken);
  assert_false(loop.post([] { fail(); }));
  loop.turn(0);
}

void a_turn_waits_no_longer_than_told(void**) {
  Loop loop;
  // It may wait less: on libuv 1.50 what the system does for the process can end a wait.
  const uint64_t end = loop.now_ms() + 20;
  int turns = 0;
  for (; loop.now_ms() < end; ++turns) loop.turn(static_cast<int>(end - loop.now_ms()));
  assert_true(turns < 10);
  Timer timer(loop, [] {});
  timer.start(5);
  const int wait = loop.timeout_ms();
  assert_true(wait >= 0 && wait <= 5);
  timer.stop();
  assert_int_equal(loop.timeout_ms(), -1);
}

void the_descriptor_tells_of_a_task_of_another_thread(void**) {
  Loop loop;
  bool run = false;
  loop.turn(0);
  pollfd ready = {loop.descriptor(), POLLIN, 0};
  assert_int_equal(poll(&ready, 1, 0), 0);
  std::thread([&] { loop.post([&] { run = true; }); }).join();
  assert_int_equal(poll(&ready, 1, 5000), 1);
  assert_false(run);
  loop.turn(0);
  assert_true(run);
}

void a_loop_rides_on_another(void**) {
  Loop host;
  std::string order;
  {
    Loop rider(host.native());
    assert_ptr_equal(rider.native(), host.native());
    Timer timer(rider, [&] { order += 't'; });
    rider.set_wake_handler([&] { order += 'w'; });
    timer.start(1);
    rider.post([&] { order += 'p'; });
    while (order.size() < 2) host.turn(-1);
    std::sort(order.begin(), order.end());  // a millisecond may pass before the first turn
    assert_text_equal(order, "pt");
    std::thread([&] { rider.wake(); }).join();
    while (order.size() < 3) host.turn(-1);
    assert_text_equal(order, "ptw");
    rider.post([] { fail(); });
  }
  host.turn(0);  // in which what the rider had closes
}

// Whichever of them the host's loop serves first: what is posted by a timer's callback, or by a
// task of another rider, needs no event to be run.
void riders_post_to_each_other_without_sleeping(void**) {
  Loop host;
  std::string order;
  {
    Loop first(host.native());
    Loop second(host.native());
    Timer give_up(host, [] { fail(); });
    Timer begin(first, [&] { second.post([&] { order += 't'; }); });
    give_up.start(5000);
    begin.start(1);
    while (order.empty()) host.turn(-1);
    first.post([&] { second.post([&] { first.post([&] { order += 'p'; }); }); });
    second.post([&] { first.post([&] { second.post([&] { order += 'q'; }); }); });
    while (order.size() < 3) host.turn(-1);
    assert_true(order == "tpq" || order == "tqp");
    // Nothing keeps the loop busy then.
    host.turn(0);
    assert_true(host.timeout_ms() > 0);
  }
  host.turn(0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(posted_tasks_run_in_their_order),
      cmocka_unit_test(a_task_may_post),
      cmocka_unit_test(an_unrun_task_is_destroyed_with_its_loop),
      cmocka_unit_test(a_wake_reaches_the_handler),
      cmocka_unit_test(a_timer_fires_once_and_may_destroy_itself),
      cmocka_unit_test(starting_a_timer_again_moves_it_and_stopping_ends_it),
      cmocka_unit_test(the_end_of_a_turn_comes_once_behind_all_else),
      cmocka_unit_test(a_poll_tells_readable_and_hang_up),
      cmocka_unit_test(a_poll_tells_writable_can_pause_and_may_destroy_itself),
      cmocka_unit_test(a_loop_can_run_again),
      cmocka_unit_test(an_exception_is_told_and_the_loop_goes_on),
      cmocka_unit_test(tasks_posted_between_turns_run_in_the_next),
      cmocka_unit_test(endless_tasks_leave_others_their_turn),
      cmocka_unit_test(a_long_chain_of_tasks_needs_no_event_to_go_on),
      cmocka_unit_test(a_finished_loop_has_run_its_tasks_and_takes_no_more),
      cmocka_unit_test(a_turn_waits_no_longer_than_told),
      cmocka_unit_test(the_descriptor_tells_of_a_task_of_another_thread),
      cmocka_unit_test(a_loop_rides_on_another),
      cmocka_unit_test(riders_post_to_each_other_without_sleeping),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
