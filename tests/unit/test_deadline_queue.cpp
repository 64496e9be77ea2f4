#include "engine/core/deadline_queue.h"

#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "tests/unit/unit_test.h"

using signalbox::Deadline;
using signalbox::DeadlineQueue;
using signalbox::Loop;
using signalbox::Timer;

namespace {

constexpr uint64_t kDelay = 5;  // ms

// Something that waits, called by a letter.
struct Waiter {
  explicit Waiter(char letter) : letter(letter) {}
  char letter;
  Deadline deadline{this};
};

// A loop, a queue on it, and the letters of those that expired. Each test runs the loop until as
// many have expired as it expects; a second queue that is longer shows that no further one comes.
struct Fixture {
  Loop loop;
  std::string expired;
  std::function<void(Waiter&)> on_expired = [](Waiter&) {};
  DeadlineQueue queue{loop, kDelay, [this](void* owner) {
                        Waiter& waiter = *static_cast<Waiter*>(owner);
                        expired += waiter.letter;
                        on_expired(waiter);
                      }};

  // Runs until three delays have passed without anything being left in the queue.
  void run() {
    Timer idle(loop, [&] {
      if (queue.empty()) loop.stop();
      idle.start(3 * kDelay);
    });
    idle.start(3 * kDelay);
    loop.run();
  }
};

void expire_in_the_order_of_their_start(void**) {
  Fixture f;
  Waiter a('a'), b('b'), c('c');
  f.queue.start(b.deadline);
  f.queue.start(a.deadline);
  f.queue.start(c.deadline);
  assert_true(a.deadline.active());
  assert_false(f.queue.empty());
  f.run();
  assert_text_equal(f.expired, "bac");
  assert_false(a.deadline.active());
  assert_true(f.queue.empty());
}

// The loop is not held up for as long as thousands take.
void of_many_at_once_some_expire_later(void**) {
  Fixture f;
  constexpr size_t kMany = 2000;
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (size_t i = 0; i < kMany; ++i) {
    waiters.push_back(std::make_unique<Waiter>(static_cast<char>('a' + i % 26)));
    f.queue.start(waiters.back()->deadline);
  }
  std::map<uint64_t, size_t> of_turn;
  std::string expected;
  f.on_expired = [&](Waiter&) { ++of_turn[f.loop.turns()]; };
  for (const auto& each : waiters) expected += each->letter;
  f.run();
  assert_text_equal(f.expired, expected);
  for (const auto& [turn, count] : of_turn) assert_in_range(count, 1, 100);
}

void do_not_expire_early(void**) {
  Fixture f;
  Waiter a('a');
  const uint64_t start = f.loop.now_ms();
  uint64_t at = 0;
  f.on_expired = [&](Waiter&) { at = f.loop.now_ms(); };
  f.queue.start(a.deadline);
  f.run();
  assert_true(at >= start + kDelay);
}

void renewing_moves_to_the_end(void**) {
  Fixture f;
  Waiter a('a'), b('b'), c('c');
  f.queue.start(a.deadline);
  f.queue.start(b.deadline);
  f.queue.start(c.deadline);
  f.queue.start(a.deadline);
  f.queue.start(b.deadline);
  f.run();
  assert_text_equal(f.expired, "cab");
}

// The timer of the queue was set for the first start; a renewal must not let it fire for the
// second.
void renewing_counts_from_the_renewal(void**) {
  Fixture f;
  Waiter a('a');
  uint64_t renewed = 0;
  uint64_t at = 0;
  f.on_expired = [&](Waiter&) { at = f.loop.now_ms(); };
  Timer renew(f.loop, [&] {
    f.queue.start(a.deadline);
    renewed = f.loop.now_ms();
  });
  f.queue.start(a.deadline);
  renew.start(kDelay - 2);
  f.run();
  assert_text_equal(f.expired, renewed != 0 && at >= renewed + kDelay ? "a" : "a, too early");
}

// Each start sets no timer of its own; it must not push back the one that others wait for.
void renewing_one_does_not_delay_another(void**) {
  Fixture f;
  Waiter a('a'), b('b');
  std::string before_second_renewal = "not reached";
  int renewals = 0;
  Timer renew(f.loop, [&] {
    if (++renewals == 2) before_second_renewal = f.expired;
    if (renewals < 4) {
      f.queue.start(b.deadline);
      renew.start(kDelay - 2);
    }
  });
  f.queue.start(a.deadline);
  renew.start(kDelay - 2);
  f.run();
  // On a machine that stalls, b may be late as well; a must be the first in any case.
  assert_text_equal(before_second_renewal.substr(0, 1), "a");
}

void stopping_drops_first_middle_and_last(void**) {
  for (const char stopped : {'a', 'b', 'c'}) {
    Fixture f;
    Waiter a('a'), b('b'), c('c');
    for (Waiter* waiter : {&a, &b, &c}) f.queue.start(waiter->deadline);
    for (Waiter* waiter : {&a, &b, &c}) {
      if (waiter->letter == stopped) waiter->deadline.stop();
    }
    f.run();
    std::string expected = "abc";
    expected.erase(expected.find(stopped), 1);
    assert_text_equal(f.expired, expected);
  }
}

void stopping_the_only_one_leaves_a_queue_that_can_be_used(void**) {
  Fixture f;
  Waiter a('a');
  f.queue.start(a.deadline);
  a.deadline.stop();
  a.deadline.stop();
  assert_true(f.queue.empty());
  f.run();
  assert_text_equal(f.expired, "");
  f.queue.start(a.deadline);
  f.run();
  assert_text_equal(f.expired, "a");
}

void destroying_the_owner_drops_it(void**) {
  Fixture f;
  Waiter a('a'), c('c');
  auto b = std::make_unique<Waiter>('b');
  f.queue.start(a.deadline);
  f.queue.start(b->deadline);
  f.queue.start(c.deadline);
  b.reset();
  f.run();
  assert_text_equal(f.expired, "ac");
}

void a_callback_may_stop_one_that_is_due_too(void**) {
  Fixture f;
  Waiter a('a'), b('b'), c('c');
  f.on_expired = [&](Waiter& waiter) {
    if (waiter.letter == 'a') b.deadline.stop();
  };
  for (Waiter* waiter : {&a, &b, &c}) f.queue.start(waiter->deadline);
  f.run();
  assert_text_equal(f.expired, "ac");
}

void a_callback_may_destroy_its_own_and_another(void**) {
  Fixture f;
  auto a = std::make_unique<Waiter>('a');
  auto b = std::make_unique<Waiter>('b');
  Waiter c('c');
  f.on_expired = [&](Waiter& waiter) {
    if (waiter.letter != 'a') return;
    b.reset();
    a.reset();
  };
  f.queue.start(a->deadline);
  f.queue.start(b->deadline);
  f.queue.start(c.deadline);
  f.run();
  assert_text_equal(f.expired, "ac");
}

void a_callback_may_start_its_own_again(void**) {
  Fixture f;
  Waiter a('a'), b('b');
  uint64_t last = f.loop.now_ms();
  f.on_expired = [&](Waiter& waiter) {
    assert_false(waiter.deadline.active());
    if (waiter.letter == 'b') return;
    assert_true(f.loop.now_ms() >= last + kDelay);
    last = f.loop.now_ms();
    if (f.expired.size() < 4) f.queue.start(waiter.deadline);
  };
  f.queue.start(a.deadline);
  f.queue.start(b.deadline);
  f.run();
  assert_text_equal(f.expired, "abaa");
}

void starting_in_another_queue_moves(void**) {
  Fixture f;
  std::string other_expired;
  DeadlineQueue other(f.loop, 2 * kDelay,
                      [&](void* owner) { other_expired += static_cast<Waiter*>(owner)->letter; });
  Waiter a('a'), b('b');
  f.queue.start(a.deadline);
  f.queue.start(b.deadline);
  other.start(a.deadline);
  f.run();
  assert_text_equal(f.expired, "b");
  assert_text_equal(other_expired, "a");
  assert_int_equal(other.delay_ms(), 2 * kDelay);
}

void a_queue_that_ends_lets_its_deadlines_go(void**) {
  Loop loop;
  Waiter a('a'), b('b');
  {
    DeadlineQueue queue(loop, kDelay, [](void*) { fail(); });
    queue.start(a.deadline);
    queue.start(b.deadline);
  }
  assert_false(a.deadline.active());
  assert_false(b.deadline.active());
}

void any_sequence_keeps_the_order_of_the_last_starts(void**) {
  auto random = unit_test::seeded_random();
  for (int round = 0; round < 20; ++round) {
    Fixture f;
    std::vector<std::unique_ptr<Waiter>> waiters;
    for (char letter = 'a'; letter <= 'h'; ++letter) {
      waiters.push_back(std::make_unique<Waiter>(letter));
    }
    std::string expected;
    for (int step = 0; step < 50; ++step) {
      Waiter& waiter = *waiters[unit_test::below(random, waiters.size())];
      std::erase(expected, waiter.letter);
      if (unit_test::below(random, 3) == 0) {
        waiter.deadline.stop();
      } else {
        f.queue.start(waiter.deadline);
        expected += waiter.letter;
      }
    }
    f.run();
    assert_text_equal(f.expired, expected);
  }
}

void a_callback_that_fails_does_not_keep_the_others(void**) {
  Fixture f;
  Waiter a('a'), b('b');
  f.on_expired = [](Waiter& waiter) {
    if (waiter.letter == 'a') throw std::bad_alloc();
  };
  f.queue.start(a.deadline);
  f.queue.start(b.deadline);
  f.run();
  assert_text_equal(f.expired, "ab");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_callback_that_fails_does_not_keep_the_others),
      cmocka_unit_test(expire_in_the_order_of_their_start),
      cmocka_unit_test(of_many_at_once_some_expire_later),
      cmocka_unit_test(do_not_expire_early),
      cmocka_unit_test(renewing_moves_to_the_end),
      cmocka_unit_test(renewing_counts_from_the_renewal),
      cmocka_unit_test(renewing_one_does_not_delay_another),
      cmocka_unit_test(stopping_drops_first_middle_and_last),
      cmocka_unit_test(stopping_the_only_one_leaves_a_queue_that_can_be_used),
      cmocka_unit_test(destroying_the_owner_drops_it),
      cmocka_unit_test(a_callback_may_stop_one_that_is_due_too),
      cmocka_unit_test(a_callback_may_destroy_its_own_and_another),
      cmocka_unit_test(a_callback_may_start_its_own_again),
      cmocka_unit_test(starting_in_another_queue_moves),
      cmocka_unit_test(a_queue_that_ends_lets_its_deadlines_go),
      cmocka_unit_test(any_sequence_keeps_the_order_of_the_last_starts),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
