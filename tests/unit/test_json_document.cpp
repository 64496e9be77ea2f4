#include "engine/core/json_document.h"

#include <cmath>
#include <limits>
#include <vector>

#include "engine/core/json.h"
#include "tests/unit/unit_test.h"

using signalbox::JsonDocument;
using signalbox::JsonObject;

namespace {

void writes_members_in_order(void**) {
  JsonDocument document;
  document.set("status", "healthy").set("uptime", 12).set("load", 0.5).set("ok", true);
  assert_text_equal(document.text(), R"({"status":"healthy","uptime":12,"load":0.5,"ok":true})");
}

void nests_objects_and_lists(void**) {
  JsonDocument document;
  JsonObject redis = document.add_object("dependencies").add_object("redis");
  redis.set("status", "connected");
  document.set("errors", std::vector<std::string>{"one", "two"});
  redis.set("port", uint16_t{6379});
  assert_text_equal(document.text(),
                    R"({"dependencies":{"redis":{"status":"connected","port":6379}},)"
                    R"("errors":["one","two"]})");
}

void keeps_whole_numbers_exact(void**) {
  JsonDocument document;
  document.set("min", std::numeric_limits<int64_t>::min())
      .set("max", std::numeric_limits<uint64_t>::max());
  assert_text_equal(document.text(), R"({"min":-9223372036854775808,"max":18446744073709551615})");
}

void escapes_texts_and_has_no_infinity(void**) {
  JsonDocument document;
  document.set("quote\"d", std::string("a\"b\\c\n\x01")).set("inf", HUGE_VAL);
  assert_text_equal(document.text(), R"({"quote\"d":"a\"b\\c\n\u0001","inf":null})");
  assert_true(signalbox::json::scan_document(document.text()).present());
}

void an_empty_document_is_an_object(void**) {
  assert_text_equal(JsonDocument().text(), "{}");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(writes_members_in_order),
      cmocka_unit_test(nests_objects_and_lists),
      cmocka_unit_test(keeps_whole_numbers_exact),
      cmocka_unit_test(escapes_texts_and_has_no_infinity),
      cmocka_unit_test(an_empty_document_is_an_object),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
