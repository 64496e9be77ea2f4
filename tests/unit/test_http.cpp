#include "engine/net/http.h"

#include "tests/unit/unit_test.h"

using namespace signalbox::net;

namespace {

std::string answer(const Response& response, Method method = Method::kGet) {
  return serialize(response, method, true, "");
}

void an_answer_has_its_length_and_type(void**) {
  assert_text_equal(answer({.status = 201, .content_type = "a/b", .body = "xyz"}),
                    "HTTP/1.1 201 Created\r\nContent-Type: a/b\r\nX-Content-Type-Options: "
                    "nosniff\r\nContent-Length: 3\r\n"
                    "Connection: keep-alive\r\n\r\nxyz");
  assert_text_equal(answer({.content_type = "", .body = "xyz"}),
                    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nxyz");
}

void head_tells_the_length_and_sends_nothing(void**) {
  assert_text_equal(answer({.content_type = "a/b", .body = "xyz"}, Method::kHead),
                    "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-Content-Type-Options: "
                    "nosniff\r\nContent-Length: 3\r\n"
                    "Connection: keep-alive\r\n\r\n");
}

// Bytes behind such an answer would be taken for the next one.
void what_must_have_no_body_has_none(void**) {
  assert_text_equal(answer({.status = 204, .body = "xyz"}),
                    "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
  assert_text_equal(answer({.status = 304, .body = "xyz"}),
                    "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n");
  assert_text_equal(
      answer({.status = 205, .body = "xyz"}),
      "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

void registered_codes_have_their_phrase(void**) {
  assert_text_equal(reason_phrase(200), "OK");
  assert_text_equal(reason_phrase(308), "Permanent Redirect");
  assert_text_equal(reason_phrase(422), "Unprocessable Content");
  assert_text_equal(reason_phrase(429), "Too Many Requests");
  assert_text_equal(reason_phrase(511), "Network Authentication Required");
  int known = 0;
  for (int status = 200; status <= 599; ++status) {
    if (reason_phrase(status) != "Unknown") ++known;
  }
  assert_int_equal(known, 57);
  for (const int status : {0, 199, 299, 306, 418, 599, 1000}) {
    assert_text_equal(reason_phrase(status), "Unknown");
  }
}

void methods_have_names(void**) {
  assert_text_equal(method_name(Method::kGet), "GET");
  assert_text_equal(method_name(Method::kHead), "HEAD");
  assert_text_equal(method_name(Method::kPost), "POST");
  assert_text_equal(method_name(Method::kPut), "PUT");
  assert_text_equal(method_name(Method::kPatch), "PATCH");
  assert_text_equal(method_name(Method::kDelete), "DELETE");
  assert_text_equal(method_name(Method::kOptions), "OPTIONS");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_has_its_length_and_type),
      cmocka_unit_test(head_tells_the_length_and_sends_nothing),
      cmocka_unit_test(what_must_have_no_body_has_none),
      cmocka_unit_test(registered_codes_have_their_phrase),
      cmocka_unit_test(methods_have_names),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
