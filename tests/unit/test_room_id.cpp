#include "engine/signaling/room_id.h"

#include "tests/unit/unit_test.h"

using namespace signalbox::signaling;

namespace {

std::string times(size_t count, std::string_view text) {
  std::string out;
  while (count-- > 0) out += text;
  return out;
}

void printable_characters_make_a_room(void**) {
  for (const std::string& id :
       {std::string("1"), std::string("a:sockets"), std::string("__proto__"), std::string("'\"\\$"),
        std::string("caf\xc3\xa9"), std::string("\xe6\x88\xbf\xe9\x97\xb4"),
        std::string("\xf0\x9f\x9a\x80"), times(64, "x"), times(64, "\xc3\xa9"),
        times(64, "\xf0\x9f\x9a\x80")}) {
    assert_for(id, room_id_valid(id));
  }
}

void spaces_controls_and_more_than_64_do_not(void**) {
  for (const std::string& id : {std::string(),
                                times(65, "x"),
                                times(65, "\xf0\x9f\x9a\x80"),
                                std::string("a b"),
                                std::string(" a"),
                                std::string("a\n"),
                                std::string("a\0b", 3),
                                std::string("\x7f"),
                                std::string("\xc2\x85"),
                                std::string("\xc2\xa0"),
                                std::string("\xc2\xad"),
                                std::string("\xe2\x80\x8b"),
                                std::string("\xe2\x80\xae"),
                                std::string("\xe2\x80\xa8"),
                                std::string("\xe3\x80\x80"),
                                std::string("\xef\xbb\xbf"),
                                std::string("\xee\x80\x80"),
                                std::string("\xef\xbf\xbe"),
                                std::string("\xf0\x9f\xbf\xbf"),
                                std::string("\xf3\xa0\x81\x81"),
                                std::string("\xf4\x8f\xbf\xbd"),
                                std::string("\xff"),
                                std::string("\xc3"),
                                std::string("\xed\xa0\x80")}) {
    assert_for(id, !room_id_valid(id));
  }
}

void characters_are_counted_not_bytes(void**) {
  assert_int_equal(character_count(""), 0);
  assert_int_equal(character_count("abc"), 3);
  assert_int_equal(character_count("\xc3\xa9\xf0\x9f\x9a\x80x"), 3);
}

void random_bytes_do_no_harm(void**) {
  auto random = unit_test::seeded_random();
  for (int round = 0; round < 20000; ++round) {
    const unit_test::Exact id(unit_test::random_bytes(random, 12));
    room_id_valid(id.view());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(printable_characters_make_a_room),
      cmocka_unit_test(spaces_controls_and_more_than_64_do_not),
      cmocka_unit_test(characters_are_counted_not_bytes),
      cmocka_unit_test(random_bytes_do_no_harm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
