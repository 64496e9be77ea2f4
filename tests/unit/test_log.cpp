#include "engine/core/log.h"

#include <vector>

#include "tests/unit/unit_test.h"

using signalbox::Log;
using signalbox::LogLevel;

namespace {

std::string logged(std::string_view line) {
  std::string result;
  Log(LogLevel::kDebug, [&](LogLevel, const std::string& text) { result = text; }).info(line);
  return result;
}

void escapes_control_characters(void**) {
  assert_text_equal(logged("a\nb\r\nc\td"), "a\\nb\\r\\nc\\td");
  assert_text_equal(logged(std::string_view("\0\x01\x1b[31m\x7f", 8)), "\\x00\\x01\\x1b[31m\\x7f");
  for (int c = 0; c < 0x20; ++c) {
    const std::string line = logged(std::string(1, static_cast<char>(c)));
    assert_true(line.size() > 1 && line[0] == '\\');
  }
}

void escapes_c1_controls_but_no_other_unicode(void**) {
  assert_text_equal(logged("\xc2\x9b"
                           "31m \xc2\x85"),
                    "\\xc2\\x9b31m \\xc2\\x85");
  assert_text_equal(logged("\xc2\xa0 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \\ \""),
                    "\xc2\xa0 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \\ \"");
  assert_text_equal(logged("\xc2"), "\xc2");
}

void passes_on_what_its_level_includes(void**) {
  std::vector<LogLevel> seen;
  const Log log(LogLevel::kWarning,
                [&](LogLevel level, const std::string&) { seen.push_back(level); });
  log.error("e");
  log.warning("w");
  log.info("i");
  log.debug("d");
  assert_int_equal(seen.size(), 2);
  assert_true(seen[0] == LogLevel::kError && seen[1] == LogLevel::kWarning);
  assert_true(log.enabled(LogLevel::kWarning));
  assert_false(log.enabled(LogLevel::kInfo));
}

void does_without_a_sink(void**) {
  const Log log(LogLevel::kDebug, nullptr);
  assert_false(log.enabled(LogLevel::kError));
  log.error("nobody hears");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(escapes_control_characters),
      cmocka_unit_test(escapes_c1_controls_but_no_other_unicode),
      cmocka_unit_test(passes_on_what_its_level_includes),
      cmocka_unit_test(does_without_a_sink),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
