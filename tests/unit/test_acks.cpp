#include "engine/socketio/acks.h"

#include <memory>
#include <string>
#include <vector>

#include "engine/core/loop.h"
#include "tests/unit/some_sockets.h"
#include "tests/unit/unit_test.h"

using signalbox::Loop;
using signalbox::Timer;
using signalbox::socketio::AckHandler;
using signalbox::socketio::AckOutcome;
using signalbox::socketio::Acks;
using signalbox::socketio::Socket;
using unit_test::some_socket;

namespace {

constexpr uint64_t kLong = 60'000;

Socket& a = some_socket(0);
Socket& b = some_socket(1);

struct Fixture {
  Loop loop;
  Acks acks{loop};
  std::string told;

  // Writes `name` and what became of it.
  AckHandler tell(char name) {
    return [this, name](const AckOutcome& outcome) {
      told += name;
      switch (outcome.kind) {
        case AckOutcome::Kind::kAnswered:
          told += outcome.arguments;
          for (const std::string& attachment : outcome.attachments) told += "+" + attachment;
          break;
        case AckOutcome::Kind::kTimedOut:
          told += " late ";
          break;
        case AckOutcome::Kind::kGone:
          told += " gone ";
          break;
      }
    };
  }
  bool answer(Socket& socket, uint64_t id, std::string_view arguments) {
    const std::vector<std::string> attachments = {"x"};
    return acks.answer(
        socket, id,
        {.kind = AckOutcome::Kind::kAnswered, .arguments = arguments, .attachments = attachments});
  }
  void run_for(uint64_t ms) {
    Timer end(loop, [this] { loop.stop(); });
    end.start(ms);
    loop.run();
  }
};

void an_answer_finds_its_question_once(void**) {
  Fixture f;
  const uint64_t first = f.acks.add(a, kLong, f.tell('1'));
  const uint64_t second = f.acks.add(a, kLong, f.tell('2'));
  const uint64_t other = f.acks.add(b, kLong, f.tell('3'));
  assert_true(first != second && second != other && other != first);
  assert_text_equal(f.told, "");
  assert_false(f.answer(b, first, "[0]"));
  assert_false(f.answer(a, other, "[0]"));
  assert_false(f.answer(a, 999, "[0]"));
  assert_text_equal(f.told, "");
  assert_true(f.answer(a, second, "[2]"));
  assert_false(f.answer(a, second, "[2]"));
  assert_true(f.answer(b, other, "[3]"));
  assert_true(f.answer(a, first, "[1]"));
  assert_text_equal(f.told, "2[2]+x3[3]+x1[1]+x");
}

void who_does_not_answer_is_late_in_the_order_of_time(void**) {
  Fixture f;
  f.acks.add(a, 20, f.tell('3'));
  f.acks.add(a, 10, f.tell('2'));
  f.acks.add(b, kLong, f.tell('4'));
  const uint64_t first = f.acks.add(b, 1, f.tell('1'));
  f.run_for(60);
  assert_text_equal(f.told, "1 late 2 late 3 late ");
  assert_false(f.answer(b, first, "[1]"));
}

void nobody_is_late_before_time(void**) {
  Fixture f;
  f.acks.add(a, 50, f.tell('1'));
  f.run_for(20);
  assert_text_equal(f.told, "");
  f.run_for(60);
  assert_text_equal(f.told, "1 late ");
}

void a_later_question_may_have_less_time(void**) {
  Fixture f;
  f.acks.add(a, kLong, f.tell('1'));
  f.acks.add(a, 1, f.tell('2'));
  f.run_for(40);
  assert_text_equal(f.told, "2 late ");
}

void who_has_answered_is_not_late(void**) {
  Fixture f;
  const uint64_t first = f.acks.add(a, 1, f.tell('1'));
  f.acks.add(a, 10, f.tell('2'));
  assert_true(f.answer(a, first, "[]"));
  f.run_for(40);
  assert_text_equal(f.told, "1[]+x2 late ");
}

void who_is_gone_does_not_wait_any_more(void**) {
  Fixture f;
  const uint64_t first = f.acks.add(a, 1, f.tell('1'));
  f.acks.add(b, 2, f.tell('2'));
  f.acks.add(a, kLong, f.tell('3'));
  f.acks.drop(a);
  assert_text_equal(f.told, "1 gone 3 gone ");
  f.acks.drop(a);
  assert_false(f.answer(a, first, "[]"));
  f.run_for(20);
  assert_text_equal(f.told, "1 gone 3 gone 2 late ");
}

void who_is_forgotten_is_told_nothing(void**) {
  Fixture f;
  auto held = std::make_shared<int>(1);
  const uint64_t first = f.acks.add(a, 5, f.tell('1'));
  f.acks.add(a, kLong, [held](const AckOutcome&) { fail(); });
  f.acks.add(b, 10, f.tell('b'));
  f.acks.forget(a);
  assert_int_equal(held.use_count(), 1);
  assert_false(f.answer(a, first, "[1]"));
  f.acks.drop(a);
  assert_text_equal(f.told, "");
  f.run_for(30);
  assert_text_equal(f.told, "b late ");
}

void a_handler_may_ask_anew(void**) {
  Fixture f;
  uint64_t second = 0;
  const uint64_t first =
      f.acks.add(a, kLong, [&](const AckOutcome&) { second = f.acks.add(a, kLong, f.tell('2')); });
  assert_true(f.answer(a, first, "[]"));
  assert_true(f.answer(a, second, "[]"));
  assert_text_equal(f.told, "2[]+x");
}

void what_waits_is_destroyed_with_it(void**) {
  auto held = std::make_shared<int>(0);
  {
    Fixture f;
    f.acks.add(a, kLong, [held](const AckOutcome&) { ++*held; });
    assert_int_equal(held.use_count(), 2);
  }
  assert_int_equal(held.use_count(), 1);
  assert_int_equal(*held, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_finds_its_question_once),
      cmocka_unit_test(who_does_not_answer_is_late_in_the_order_of_time),
      cmocka_unit_test(nobody_is_late_before_time),
      cmocka_unit_test(a_later_question_may_have_less_time),
      cmocka_unit_test(who_has_answered_is_not_late),
      cmocka_unit_test(who_is_gone_does_not_wait_any_more),
      cmocka_unit_test(who_is_forgotten_is_told_nothing),
      cmocka_unit_test(a_handler_may_ask_anew),
      cmocka_unit_test(what_waits_is_destroyed_with_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
