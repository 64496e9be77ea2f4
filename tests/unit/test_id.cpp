#include "engine/core/id.h"

#include <set>
#include <stdexcept>

#include "tests/unit/unit_test.h"

using signalbox::random_id;
using signalbox::random_text;

namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void has_the_length_asked_for(void**) {
  for (const size_t length : {0, 1, 4, 16, 20, 63, 64, 65, 1000}) {
    assert_int_equal(random_id(length).size(), length);
    assert_int_equal(random_text(length, "abc").size(), length);
  }
}

void uses_the_whole_alphabet_and_nothing_else(void**) {
  const std::string text = random_id(20000);
  assert_true(text.find_first_not_of(kBase64Url) == std::string::npos);
  assert_int_equal(std::set<char>(text.begin(), text.end()).size(), 64);
  assert_true(random_text(1000, "0123456789").find_first_not_of("0123456789") == std::string::npos);
}

void does_not_repeat(void**) {
  std::set<std::string> ids;
  for (int i = 0; i < 10000; ++i) ids.insert(random_id(20));
  assert_int_equal(ids.size(), 10000);
}

// 200 letters: bytes taken modulo 200 would make the first 56 twice as frequent as the others.
void favours_no_character(void**) {
  std::string alphabet;
  for (int c = 0; c < 200; ++c) alphabet += static_cast<char>(c);
  constexpr size_t kDraws = 400000;
  size_t among_first = 0;
  for (const char c : random_text(kDraws, alphabet)) {
    if (static_cast<unsigned char>(c) < 56) ++among_first;
  }
  // 56/200 of the draws are 112,000, with a standard deviation of 284.
  assert_in_range(among_first, 112000 - 3000, 112000 + 3000);
}

void takes_alphabets_of_1_to_256_characters(void**) {
  assert_text_equal(random_text(5, "x"), "xxxxx");
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  assert_int_equal(random_text(300, every_byte).size(), 300);
  for (const std::string& bad : {std::string(), every_byte + "x"}) {
    try {
      random_text(1, bad);
      fail();
    } catch (const std::invalid_argument&) {
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(has_the_length_asked_for),
      cmocka_unit_test(uses_the_whole_alphabet_and_nothing_else),
      cmocka_unit_test(does_not_repeat),
      cmocka_unit_test(favours_no_character),
      cmocka_unit_test(takes_alphabets_of_1_to_256_characters),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
