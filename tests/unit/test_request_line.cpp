// The session that a request names, before anybody has read the request.
#include "engine/net/request_line.h"

#include <string>

#include "tests/unit/unit_test.h"

using signalbox::net::session_in;

static std::string session(std::string_view line) {
  return std::string(session_in(line, "/socket.io/"));
}

static void finds_the_id_wherever_it_stands(void**) {
  assert_string_equal(session("GET /socket.io/?sid=abc HTTP/1.1").c_str(), "abc");
  assert_string_equal(session("GET /socket.io/?EIO=4&sid=abc&t=1 HTTP/1.1").c_str(), "abc");
  assert_string_equal(session("POST /socket.io/?EIO=4&sid=abc").c_str(), "abc");
  assert_string_equal(session("GET /socket.io/?sid=a&sid=b HTTP/1.1").c_str(), "b");
  assert_string_equal(session("GET /socket.io/x?a?b&sid=abc HTTP/1.1").c_str(), "abc");
}

static void finds_none_where_there_is_none(void**) {
  for (const char* line : {"", "GET", "GET ", "GET /socket.io/", "GET /socket.io/?EIO=4 HTTP/1.1",
                           "GET /socket.io/?sid= HTTP/1.1", "GET /socket.io/?sid=a&sid= HTTP/1.1",
                           "GET /socket.io/?xsid=abc HTTP/1.1", "GET /socket.io/?sid HTTP/1.1",
                           "GET /other?sid=abc HTTP/1.1", "GET /socket.io/sid=abc HTTP/1.1",
                           "GET /socket.io/ HTTP/1.1?sid=abc", "?sid=abc"}) {
    assert_string_equal(session(line).c_str(), "");
  }
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(finds_the_id_wherever_it_stands),
      cmocka_unit_test(finds_none_where_there_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
