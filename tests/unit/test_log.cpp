#include "engine/core/log.h"

#include <vector>

#include "tests/unit/unit_test.h"

using signalbox::Counter;
using signalbox::Log;
using signalbox::LogLevel;

namespace {

// The line that follows msg=event.
std::string logged(Log::Fields fields) {
  std::string line;
  Log(LogLevel::kDebug, [&](LogLevel, const std::string& text) {
    line = text;
  }).info("event", fields);
  assert_true(line.starts_with("msg=event"));
  return line.substr(9);
}

void a_line_is_logfmt(void**) {
  assert_text_equal(logged({}), "");
  assert_text_equal(logged({{"to", "127.0.0.1:6379"}, {"link", "commands"}, {"sockets", 3}}),
                    " to=127.0.0.1:6379 link=commands sockets=3");
  assert_text_equal(logged({{"a", ""}, {"b", "two words"}, {"c", "x=1"}}),
                    R"( a="" b="two words" c="x=1")");
  assert_text_equal(logged({{"a", R"(say "no" \ more)"}}), R"( a="say \"no\" \\ more")");
  std::string line;
  Log(LogLevel::kInfo, [&](LogLevel, const std::string& text) { line = text; }).info("two words");
  assert_text_equal(line, R"(msg="two words")");
}

void no_value_forges_a_line_or_a_field(void**) {
  assert_text_equal(logged({{"a", "1\r\nmsg=forged"}}), R"( a="1\r\nmsg=forged")");
  assert_text_equal(logged({{"a", std::string_view("\0\x1b[31m\x7f", 7)}}),
                    R"( a="\u0000\u001b[31m\u007f")");
  for (int c = 0; c < 0x20; ++c) {
    const std::string line = logged({{"a", std::string(1, static_cast<char>(c))}});
    assert_true(line.starts_with(" a=\"\\"));
  }
}

void the_second_set_of_controls_is_escaped_and_no_other_unicode(void**) {
  assert_text_equal(logged({{"a",
                             "\xc2\x9b"
                             "31m \xc2\x85"}}),
                    R"( a="\u009b31m \u0085")");
  assert_text_equal(logged({{"a", "\xc2\xa0 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"}}),
                    " a=\"\xc2\xa0 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  assert_text_equal(logged({{"a", "ab\xc2"}}), R"( a="ab?")");
}

void passes_on_what_its_level_includes(void**) {
  std::vector<LogLevel> seen;
  Log log(LogLevel::kWarning, [&](LogLevel level, const std::string&) { seen.push_back(level); });
  log.error("e");
  log.warning("w");
  log.info("i");
  log.debug("d");
  assert_int_equal(seen.size(), 2);
  assert_true(seen[0] == LogLevel::kError && seen[1] == LogLevel::kWarning);
  assert_true(log.enabled(LogLevel::kWarning));
  assert_false(log.enabled(LogLevel::kInfo));
}

uint64_t now_ms;

void repeats_are_held_back_and_counted(void**) {
  std::vector<std::string> lines;
  Counter held_back;
  Log log(
      LogLevel::kDebug, [&](LogLevel, const std::string& line) { lines.push_back(line); },
      &held_back, [] { return now_ms; });
  for (uint64_t i = 0; i < Log::kMostLines + 5; ++i) log.warning("again", {{"i", i}});
  assert_int_equal(lines.size(), Log::kMostLines);
  assert_int_equal(held_back, 5);
  log.warning("another");
  assert_text_equal(lines.back(), "msg=another");
  for (uint64_t i = 0; i < Log::kMostLines + 5; ++i) log.debug("watched");
  assert_int_equal(lines.size(), 2 * Log::kMostLines + 6);

  now_ms += Log::kWindowMs - 1;
  log.warning("again");
  assert_int_equal(held_back, 6);
  now_ms += 1;
  log.warning("again", {{"i", 1}});
  assert_text_equal(lines.back(), "msg=again i=1 held_back=6");
  log.warning("again");
  assert_text_equal(lines.back(), "msg=again");
  assert_int_equal(held_back, 6);
}

void does_without_a_sink(void**) {
  Log log(LogLevel::kDebug, nullptr);
  assert_false(log.enabled(LogLevel::kError));
  log.error("nobody hears");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_line_is_logfmt),
      cmocka_unit_test(no_value_forges_a_line_or_a_field),
      cmocka_unit_test(the_second_set_of_controls_is_escaped_and_no_other_unicode),
      cmocka_unit_test(passes_on_what_its_level_includes),
      cmocka_unit_test(repeats_are_held_back_and_counted),
      cmocka_unit_test(does_without_a_sink),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
