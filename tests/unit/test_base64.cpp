#include "engine/core/base64.h"
#include "tests/unit/unit_test.h"

using signalbox::append_base64;
using signalbox::decode_base64;
using unit_test::Exact;

namespace {

struct Pair {
  const char* bytes;
  const char* text;
};

// RFC 4648, section 10, and the example of the Engine.IO protocol.
constexpr Pair kPairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\x01\x02\x03\x04", "AQIDBA=="},
    {"\xfb\xff\xbf", "+/+/"},
};

void encodes_the_examples(void**) {
  for (const Pair& pair : kPairs) {
    std::string text = "kept:";
    append_base64(text, pair.bytes);
    assert_text_equal(text, std::string("kept:") + pair.text);
  }
}

void decodes_the_examples_with_and_without_padding(void**) {
  for (const Pair& pair : kPairs) {
    std::string bytes = "replaced";
    assert_true(decode_base64(pair.text, bytes));
    assert_text_equal(bytes, pair.bytes);

    std::string unpadded = pair.text;
    while (unpadded.ends_with('=')) unpadded.pop_back();
    assert_true(decode_base64(Exact(unpadded).view(), bytes));
    assert_text_equal(bytes, pair.bytes);
  }
}

void refuses_what_is_no_base64(void**) {
  for (const char* text : {"A", "AAAAA", "A===", "====", "=",
                           "Zg=", "Zm8==", "Zg==Zg==", "Zm9v====", "Zg= =", " Zg==", "Zm9v\n",
                           "Zm-_", "Zm9\x80", "Z=9v", "Zm9v=", "Zm9v=="}) {
    std::string bytes;
    assert_for(text, !decode_base64(Exact(text).view(), bytes));
  }
  std::string bytes;
  assert_false(decode_base64(std::string_view("Zm9\0", 4), bytes));
}

void any_bytes_come_back(void**) {
  auto random = unit_test::seeded_random();
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = unit_test::random_bytes(random, 100);
    std::string text;
    append_base64(text, bytes);
    std::string decoded;
    assert_true(decode_base64(Exact(text).view(), decoded));
    assert_text_equal(decoded, bytes);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(encodes_the_examples),
      cmocka_unit_test(decodes_the_examples_with_and_without_padding),
      cmocka_unit_test(refuses_what_is_no_base64),
      cmocka_unit_test(any_bytes_come_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
