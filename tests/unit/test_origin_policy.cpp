#include "engine/net/origin_policy.h"

#include "tests/unit/unit_test.h"

using signalbox::net::OriginPolicy;

namespace {

constexpr std::string_view kHost = "signal.example:3001";

void listed_origins_their_own_and_programs_are_allowed(void**) {
  const OriginPolicy policy({"https://a.example", "http://b.example:8080/"});
  for (std::string_view origin : {"", "https://a.example", "http://b.example:8080",
                                  "http://signal.example:3001", "https://signal.example:3001"}) {
    assert_for(origin, policy.allows(origin, kHost));
  }
}

void others_are_not(void**) {
  const OriginPolicy policy({"https://a.example"});
  for (std::string_view origin :
       {"http://a.example", "https://a.example:443", "https://a.example.evil", "https://evil",
        "null", "signal.example:3001", "https://signal.example", "https://a.example\x01",
        "https://a.example ", "://", "\xff"}) {
    assert_for(origin, !policy.allows(origin, kHost));
  }
  assert_false(policy.allows("http://", ""));
}

void headers_name_the_origin_that_asked(void**) {
  const OriginPolicy policy({"https://a.example", "https://b.example"});
  assert_text_equal(policy.headers("https://b.example", kHost),
                    "Access-Control-Allow-Origin: https://b.example\r\n"
                    "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n");
  assert_text_equal(policy.headers("https://evil", kHost),
                    "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n");
  assert_true(policy.headers("https://a.example", kHost, "PUT, DELETE")
                  .ends_with("Access-Control-Allow-Methods: PUT, DELETE\r\n"
                             "Access-Control-Allow-Headers: Content-Type, Authorization\r\n"));
}

void a_wildcard_goes_without_credentials(void**) {
  const OriginPolicy policy({"*"});
  assert_true(policy.allows("https://anyone", kHost));
  assert_false(policy.allows("https://any\none", kHost));
  assert_text_equal(policy.headers("https://anyone", kHost), "Access-Control-Allow-Origin: *\r\n");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(listed_origins_their_own_and_programs_are_allowed),
      cmocka_unit_test(others_are_not),
      cmocka_unit_test(headers_name_the_origin_that_asked),
      cmocka_unit_test(a_wildcard_goes_without_credentials),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
