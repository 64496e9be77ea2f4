// The border: whatever is thrown inside becomes a code and a text.
#include "capi/src/guard.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

extern "C" {
#include <cmocka.h>
}

namespace {

using signalbox::ErrorCode;
using signalbox::Status;
using signalbox::capi::guard;

template <typename Exception>
void expect(const Exception& thrown, sbx_error code, const char* text) {
  assert_int_equal(guard([&]() -> Status { throw thrown; }), code);
  assert_string_equal(sbx_last_error(), text);
}

void exceptions_become_codes(void**) {
  expect(std::bad_alloc(), SBX_E_SYSTEM, "out of memory");
  expect(std::runtime_error("no descriptors"), SBX_E_SYSTEM, "no descriptors");
  expect(std::logic_error("unforeseen"), SBX_E_INTERNAL, "unforeseen");
  expect(42, SBX_E_INTERNAL, "unknown exception");
}

void statuses_become_codes(void**) {
  const auto code = [](ErrorCode of) { return guard([&] { return Status(of, "text"); }); };
  assert_int_equal(code(ErrorCode::kNone), SBX_OK);
  assert_int_equal(code(ErrorCode::kInvalid), SBX_E_INVALID);
  assert_int_equal(code(ErrorCode::kState), SBX_E_STATE);
  assert_int_equal(code(ErrorCode::kAddress), SBX_E_ADDRESS);
  assert_int_equal(code(ErrorCode::kSystem), SBX_E_SYSTEM);
  assert_int_equal(code(ErrorCode::kUnavailable), SBX_E_UNAVAILABLE);
}

// However long the text, and whatever its last character.
void texts_are_cut_between_characters(void**) {
  for (size_t length = 500; length < 520; ++length) {
    const std::string before(length, 'a');
    assert_int_equal((signalbox::capi::fail)(SBX_E_STATE, before + "\xe2\x82\xac"), SBX_E_STATE);
    const std::string kept = sbx_last_error();
    assert_true(kept.size() < 512);
    assert_true(kept == before + "\xe2\x82\xac" || kept == before.substr(0, kept.size()));
  }
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
