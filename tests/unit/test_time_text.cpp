#include "engine/signaling/time_text.h"

#include "tests/unit/unit_test.h"

using namespace signalbox::signaling;

namespace {

void times_are_written_as_javascript_does(void**) {
  assert_text_equal(iso_text(0), "1970-01-01T00:00:00.000Z");
  assert_text_equal(iso_text(1709210096789), "2024-02-29T12:34:56.789Z");
  assert_text_equal(iso_text(-1), "1969-12-31T23:59:59.999Z");
  assert_text_equal(day_text(1709251199999), "2024-02-29");
  assert_text_equal(day_text(1709251200000), "2024-03-01");
  assert_text_equal(day_text(-62167219200000), "0000-01-01");
}

void iso_dates_are_read(void**) {
  struct Case {
    const char* text;
    int64_t ms;
  };
  for (const Case& c : {Case{"1970", 0},
                        {"1970-01", 0},
                        {"1970-01-02", 86400000},
                        {"2024-02-29T12:34:56.789Z", 1709210096789},
                        {"2024-02-29T12:34:56.7Z", 1709210096700},
                        {"2024-02-29T12:34:56.789123Z", 1709210096789},
                        {"2024-02-29T12:34:56Z", 1709210096000},
                        {"2024-02-29T12:34Z", 1709210040000},
                        {"2024-02-29T12:34", 1709210040000},
                        {"2024-02-29T12:34+02:00", 1709202840000},
                        {"2024-02-29T12:34-00:30", 1709211840000},
                        {"2024-02-29T24:00Z", 1709251200000}}) {
    const auto ms = parse_iso(c.text);
    assert_for(c.text, ms.has_value() && *ms == c.ms);
  }
}

void anything_else_is_no_date(void**) {
  for (const char* text : {"",
                           "yesterday",
                           "24-01-01",
                           "2024-13-01",
                           "2024-02-30",
                           "2023-02-29",
                           "2024-1-1",
                           "2024-01-01T",
                           "2024-01-01T12",
                           "2024-01-01T25:00Z",
                           "2024-01-01T12:60Z",
                           "2024-01-01T12:00:60Z",
                           "2024-01-01T24:01Z",
                           "2024-01-01T12:00:00.Z",
                           "2024-01-01T12:00Zx",
                           "2024-01-01T12:00+2:00",
                           "2024-01-01T12:00+24:00",
                           "2024-01-01Z",
                           "+002024-01-01",
                           "0000-01-01T00:00+01:00",
                           "2024-01-01 12:00"}) {
    assert_for(text, !parse_iso(text).has_value());
  }
}

void what_cannot_be_written_is_known(void**) {
  assert_true(expressible(0));
  assert_true(expressible(253402300799999.0));
  assert_false(expressible(253402300800000.0));
  assert_true(expressible(-62167219200000.0));
  assert_false(expressible(-62167219200001.0));
  assert_false(expressible(1e300));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(times_are_written_as_javascript_does),
      cmocka_unit_test(iso_dates_are_read),
      cmocka_unit_test(anything_else_is_no_date),
      cmocka_unit_test(what_cannot_be_written_is_known),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
