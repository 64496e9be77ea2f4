// The border: whatever is thrown inside becomes a code and a text.
#include "capi/src/guard.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <system_error>

extern "C" {
#include <cmocka.h>
}

namespace {

using signalbox::ErrorCode;
using signalbox::Status;
using signalbox::capi::copy_text;
using signalbox::capi::guard;

template <typename Exception>
void expect(const Exception& thrown, sbx_error code, const char* text) {
  char err[64] = "";
  assert_int_equal(guard(err, sizeof err, [&]() -> Status { throw thrown; }), code);
  assert_string_equal(err, text);
}

void exceptions_become_codes(void**) {
  expect(std::bad_alloc(), SBX_E_SYSTEM, "out of memory");
  expect(std::runtime_error("no descriptors"), SBX_E_SYSTEM, "no descriptors");
  expect(std::logic_error("unforeseen"), SBX_E_INTERNAL, "unforeseen");
  expect(42, SBX_E_INTERNAL, "unknown exception");
  assert_int_equal(guard(nullptr, 0, []() -> Status { throw 1; }), SBX_E_INTERNAL);
}

void statuses_become_codes(void**) {
  const auto code = [](ErrorCode of) {
    return guard(nullptr, 0, [&] { return Status(of, "text"); });
  };
  assert_int_equal(code(ErrorCode::kNone), SBX_OK);
  assert_int_equal(code(ErrorCode::kInvalid), SBX_E_INVALID);
  assert_int_equal(code(ErrorCode::kState), SBX_E_STATE);
  assert_int_equal(code(ErrorCode::kAddress), SBX_E_ADDRESS);
  assert_int_equal(code(ErrorCode::kSystem), SBX_E_SYSTEM);
  assert_int_equal(code(ErrorCode::kUnavailable), SBX_E_UNAVAILABLE);
}

void texts_are_cut_between_characters(void**) {
  char buffer[8];
  copy_text("ab\xc3\xa4\xe2\x82\xac", buffer, 5);  // a b ä €
  assert_string_equal(buffer, "ab\xc3\xa4");
  copy_text("ab\xc3\xa4\xe2\x82\xac", buffer, 4);
  assert_string_equal(buffer, "ab");
  copy_text("ab\xc3\xa4\xe2\x82\xac", buffer, 7);
  assert_string_equal(buffer, "ab\xc3\xa4");
  copy_text("ab\xc3\xa4\xe2\x82\xac", buffer, 8);
  assert_string_equal(buffer, "ab\xc3\xa4\xe2\x82\xac");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(exceptions_become_codes),
      cmocka_unit_test(statuses_become_codes),
      cmocka_unit_test(texts_are_cut_between_characters),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
