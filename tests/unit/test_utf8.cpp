#include "engine/core/utf8.h"

#include "tests/unit/unit_test.h"

using signalbox::utf8_valid;
using unit_test::Exact;

namespace {

// The encoding of any number, whether or not it is a code point.
std::string encoded(uint32_t code) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
}

void accepts_exactly_the_code_points(void**) {
  for (uint32_t code = 0; code < 0x200000; ++code) {
    const bool exists = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    if (utf8_valid(encoded(code)) != exists) fail_msg("U+%X", static_cast<unsigned>(code));
  }
}

void refuses_every_truncation(void**) {
  for (const uint32_t code : {0x80u, 0x7ffu, 0x800u, 0xffffu, 0x10000u, 0x10ffffu}) {
    const std::string whole = "ascii" + encoded(code);
    assert_true(utf8_valid(whole));
    for (size_t length = 6; length < whole.size(); ++length) {
      assert_false(utf8_valid(Exact(whole.substr(0, length)).view()));
    }
  }
}

void refuses_overlong_forms_and_stray_bytes(void**) {
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
                           "\xe0\x9f\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "\xc3\xc3\xa4",
                           "\xe2\x82(", "\xc3(", "\xf8\x88\x80\x80\x80"}) {
    assert_for(text, !utf8_valid(text));
  }
}

// Words of eight ASCII bytes are skipped: a bad byte must be found wherever it stands in one.
void finds_a_bad_byte_at_every_position(void**) {
  for (size_t length = 1; length < 40; ++length) {
    std::string text(length, 'a');
    assert_true(utf8_valid(Exact(text).view()));
    for (size_t at = 0; at < length; ++at) {
      text[at] = '\xff';
      assert_false(utf8_valid(Exact(text).view()));
      text[at] = 'a';
    }
  }
  assert_true(utf8_valid({}));
  assert_true(utf8_valid(std::string_view("\0", 1)));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(accepts_exactly_the_code_points),
      cmocka_unit_test(refuses_every_truncation),
      cmocka_unit_test(refuses_overlong_forms_and_stray_bytes),
      cmocka_unit_test(finds_a_bad_byte_at_every_position),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
