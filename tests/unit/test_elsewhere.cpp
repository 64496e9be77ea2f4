#include "engine/signaling/elsewhere.h"

#include "tests/unit/unit_test.h"

using namespace signalbox::signaling;

namespace {

// A node that has a socket in the room "r".
Elsewhere in_r() {
  Elsewhere elsewhere;
  elsewhere.open("r");
  return elsewhere;
}

void a_socket_is_known_until_it_is_forgotten(void**) {
  Elsewhere elsewhere = in_r();
  assert_false(elsewhere.knows("r", "aaaa1"));
  assert_true(elsewhere.learn("r", "aaaa1", 5));
  assert_true(elsewhere.knows("r", "aaaa1"));
  assert_false(elsewhere.learn("r", "aaaa1", 6));
  assert_int_equal(elsewhere.in("r").size(), 1);
  assert_true(elsewhere.forget("r", "aaaa1"));
  assert_false(elsewhere.knows("r", "aaaa1"));
  assert_false(elsewhere.forget("r", "aaaa1"));
}

void of_other_rooms_nothing_is_kept(void**) {
  Elsewhere elsewhere = in_r();
  elsewhere.answered("s", 9);
  assert_false(elsewhere.learn("s", "aaaa1", 5));
  assert_false(elsewhere.knows("s", "aaaa1"));
  assert_false(elsewhere.is_late("s", "aaaa1", 1));
  assert_false(elsewhere.forget("s", "aaaa1"));
  assert_int_equal(elsewhere.in("s").size(), 0);
}

void a_room_that_was_left_begins_anew(void**) {
  Elsewhere elsewhere = in_r();
  elsewhere.learn("r", "aaaa1", 5);
  elsewhere.answered("r", 5);
  elsewhere.open("r");  // another socket of this node
  assert_true(elsewhere.knows("r", "aaaa1"));
  elsewhere.close("r");
  elsewhere.close("r");
  elsewhere.open("r");
  assert_false(elsewhere.knows("r", "aaaa1"));
  assert_false(elsewhere.is_late("r", "aaaa1", 4));
}

void each_node_is_named_once(void**) {
  Elsewhere elsewhere = in_r();
  for (const char* socket : {"aaaa1", "bbbb1", "aaaa2"}) elsewhere.learn("r", socket, 1);
  const std::vector<std::string_view> expected = {"aaaa", "bbbb"};
  assert_true(elsewhere.nodes("r") == expected);
  assert_int_equal(elsewhere.nodes("s").size(), 0);
}

// It is in every later answer, or has left.
void news_of_a_stranger_is_late_if_older_than_the_answer(void**) {
  Elsewhere elsewhere = in_r();
  assert_false(elsewhere.is_late("r", "aaaa1", 1));
  elsewhere.learn("r", "bbbb1", 20);
  assert_false(elsewhere.is_late("r", "aaaa1", 1));  // what is known of others does not matter
  elsewhere.answered("r", 10);
  assert_true(elsewhere.is_late("r", "aaaa1", 9));
  assert_false(elsewhere.is_late("r", "aaaa1", 10));  // in the same microsecond: who knows
  assert_false(elsewhere.is_late("r", "aaaa1", 11));
}

void news_of_a_socket_is_late_if_it_was_there_since(void**) {
  Elsewhere elsewhere = in_r();
  elsewhere.learn("r", "aaaa1", 5);
  elsewhere.answered("r", 10);  // which it is not in, as others may still be binding theirs
  assert_true(elsewhere.is_late("r", "aaaa1", 4));
  assert_false(elsewhere.is_late("r", "aaaa1", 6));
  elsewhere.learn("r", "aaaa1", 12);
  assert_true(elsewhere.is_late("r", "aaaa1", 11));
  assert_false(elsewhere.is_late("r", "aaaa1", 12));
}

void an_answer_of_a_clock_that_was_put_back_counts(void**) {
  Elsewhere elsewhere = in_r();
  elsewhere.learn("r", "aaaa1", 100);
  elsewhere.answered("r", 100);
  elsewhere.answered("r", 10);
  elsewhere.learn("r", "aaaa1", 10);
  assert_false(elsewhere.is_late("r", "aaaa1", 11));
  assert_false(elsewhere.is_late("r", "bbbb1", 11));
}

void news_may_be_to_come_of_what_is_not_settled(void**) {
  Elsewhere elsewhere = in_r();
  assert_true(elsewhere.is_settled("r", 0));
  assert_false(elsewhere.is_settled("r", 1));
  elsewhere.answered("r", 10);
  assert_true(elsewhere.is_settled("r", 10));  // told to those who were there before
  assert_false(elsewhere.is_settled("r", 11));
  elsewhere.answered("r", 20);  // who was there then is known, but news may yet come
  assert_false(elsewhere.is_settled("r", 11));
  elsewhere.settle("r", 15);
  elsewhere.settle("r", 12);
  elsewhere.settle("s", 30);
  assert_true(elsewhere.is_settled("r", 15));
  assert_false(elsewhere.is_settled("r", 16));
  assert_true(elsewhere.is_settled("s", 99));  // nobody is there
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_socket_is_known_until_it_is_forgotten),
      cmocka_unit_test(of_other_rooms_nothing_is_kept),
      cmocka_unit_test(a_room_that_was_left_begins_anew),
      cmocka_unit_test(each_node_is_named_once),
      cmocka_unit_test(news_of_a_stranger_is_late_if_older_than_the_answer),
      cmocka_unit_test(news_of_a_socket_is_late_if_it_was_there_since),
      cmocka_unit_test(an_answer_of_a_clock_that_was_put_back_counts),
      cmocka_unit_test(news_may_be_to_come_of_what_is_not_settled),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
