// Request headers: what is let through to libwebsockets, and what is not.
#include "engine/net/request_head.h"

#include <string>

#include "tests/unit/unit_test.h"

using signalbox::net::RequestHead;
using State = RequestHead::State;

namespace {

constexpr RequestHead::Limits kLimits{1000, 10};

std::string get(const std::string& lines) {
  return "GET /a?b=c HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n";
}

RequestHead whole(const std::string& bytes) {
  RequestHead head;
  assert_for(bytes.c_str(), head.read(bytes, kLimits) == State::kWhole);
  return head;
}

// The status that refuses it.
int refused(const std::string& bytes) {
  RequestHead head;
  assert_for(bytes.c_str(), head.read(bytes, kLimits) == State::kRefused);
  assert_non_null(head.error());
  return head.status();
}

void a_whole_header_is_measured(void**) {
  const std::string bytes = get("Accept: */*\r\nX-Any:\r\ncookie: a=b; c\r\n");
  const RequestHead head = whole(bytes + "the next");
  assert_int_equal(head.size(), bytes.size());
  assert_text_equal(head.request_line(bytes), "GET /a?b=c HTTP/1.1");
  assert_int_equal(head.body_size(), 0);
  assert_false(head.ends_open());
  whole("GET / HTTP/1.0\r\n\r\n");
  whole("OPTIONS * HTTP/1.1\r\nhost:\r\n\r\n");
  whole(get("Q: \xff\t\x01 a\r\n"));  // what a value may hold is not our concern
}

void it_may_come_in_any_pieces(void**) {
  const std::string bytes = get("Content-Length: 7\r\nAccept-Encoding: gzip\r\n");
  RequestHead head;
  for (size_t size = 0; size < bytes.size(); ++size) {
    assert_true(head.read(std::string_view(bytes).substr(0, size), kLimits) == State::kMore);
  }
  assert_true(head.read(bytes, kLimits) == State::kWhole);
  assert_int_equal(head.body_size(), 7);
}

void the_body_is_told(void**) {
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  assert_int_equal(whole(post + "content-length: 12\r\n\r\n").body_size(), 12);
  assert_false(whole(post + "Content-Length: 0\r\n\r\n").ends_open());
  assert_true(whole(post + "\r\n").ends_open());
  assert_true(whole(post + "Transfer-Encoding: Chunked\r\n\r\n").ends_open());
  assert_true(whole(get("Upgrade: websocket\r\n")).ends_open());
}

void ambiguous_bodies_are_refused(void**) {
  for (const char* lines :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n", "Content-Length: -1\r\n", "Content-Length: 1x\r\n",
        "Content-Length:\r\n", "Content-Length: 0x1\r\n",
        "Content-Length: 00000000000000000001\r\n", "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding:\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"}) {
    assert_for(lines, refused(get(lines)) == 400);
  }
  assert_int_equal(refused("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

void malformed_lines_are_refused(void**) {
  for (const std::string& lines :
       {std::string("no colon\r\n"), std::string(": no name\r\n"),
        std::string("Content-Length : 1\r\n"), std::string("A\tb: c\r\n"),
        std::string("Q: b\r\n c\r\n"), std::string("Q: b\r\n\tc\r\n"),
        std::string("Q: b\nW: d\r\n"), std::string("Q: b\rW: d\r\n"), std::string("Q: b\r\r\n"),
        std::string("Q\0: b\r\n", 8), std::string("Q: \0b\r\n", 8), std::string("\xe9: b\r\n"),
        std::string("A(: b\r\n"), std::string("Host: y\r\n")}) {
    assert_for(lines.c_str(), refused(get(lines)) == 400);
  }
  assert_int_equal(refused("GET / HTTP/1.1\r\n A: b\r\n\r\n"), 400);
  assert_int_equal(refused("GET / HTTP/1.1\r\nQ: b\r\n\r\n"), 400);  // no Host
}

void malformed_request_lines_are_refused(void**) {
  for (const char* line : {"GET /", "GET", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ",
                           "GET /a b HTTP/1.1", "GET /\ta HTTP/1.1", "GET / http/1.1",
                           "GET / HTP/1.1", "G(T / HTTP/1.1", " GET / HTTP/1.1",
                           "GET /%0a HTTP/1.1", "GET /%0AContent-Length:%201 HTTP/1.1",
                           "GET /?a=%0d HTTP/1.1", "GET /%00 HTTP/1.1", "GET /?a%00=b HTTP/1.1", "",
                           "GET /\x7f HTTP/1.1", "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443"}) {
    assert_for(line, refused(std::string(line) + "\r\nHost: x\r\n\r\n") == 400);
  }
  for (const char* line : {"get / HTTP/1.1", "TRACE / HTTP/1.1", "CONNECT x:1 HTTP/1.1",
                           "GETS / HTTP/1.1", "PUTX / HTTP/1.1"}) {
    assert_for(line, refused(std::string(line) + "\r\nHost: x\r\n\r\n") == 501);
  }
  assert_int_equal(refused("PRI * HTTP/2.0\r\n\r\n"), 505);
  assert_int_equal(refused("GET / HTTP/1.11\r\n\r\n"), 505);
}

void what_is_no_request_is_refused_at_once(void**) {
  for (const std::string& bytes : {std::string("\x16"), std::string(1, '\0'), std::string("\r\n"),
                                   std::string("\n"), std::string(" ")}) {
    assert_int_equal(refused(bytes), 400);
  }
}

void limits_are_kept(void**) {
  std::string lines;
  for (size_t line = 1; line < kLimits.lines; ++line) lines += "Q: b\r\n";
  whole(get(lines));
  assert_int_equal(refused(get(lines + "Q: b\r\n")), 431);
  const size_t room = kLimits.bytes - get("Q: \r\n").size();
  whole(get("Q: " + std::string(room, 'x') + "\r\n"));
  assert_int_equal(refused(get("Q: " + std::string(room + 1, 'x') + "\r\n")), 431);
  // Not before it is too large, not later either.
  RequestHead head;
  const std::string endless = "GET / HTTP/1.1\r\nQ: " + std::string(kLimits.bytes, 'x');
  assert_true(head.read(std::string_view(endless).substr(0, kLimits.bytes), kLimits) ==
              State::kMore);
  assert_true(head.read(endless, kLimits) == State::kRefused);
  assert_int_equal(refused("GET /" + std::string(kLimits.bytes, 'x')), 414);
}

void names_that_libwebsockets_misreads_are_refused(void**) {
  for (const char* name : {"X-Auth", "x-auth-toke", "Content-Le", "Transfer-Enc", "H", "g", "Get",
                           "Put", "putter", "Patch-Level", "deleted", "uri-args", "Uri-Args-X",
                           "http", "Connect", "Proxy", "Sec-WebSocket"}) {
    assert_for(name, refused(get(std::string(name) + ": 1\r\n")) == 400);
  }
  for (const char* name : {"X-Auth-Token",
                           "X-Auth-Tokens",
                           "X-Auther",
                           "TE",
                           "Via",
                           "Date",
                           "Dat-",
                           "Origin",
                           "DNT",
                           "Upgrade-Insecure-Requests",
                           "Sec-Fetch-Mode",
                           "Sec-WebSocket-Key",
                           "X-Forwarded-Proto",
                           "X-Requested-With",
                           "Cf-Connecting-Ip",
                           "Priority",
                           "Sec-CH-UA",
                           "Keep-Alive",
                           "Accept",
                           "Cookie",
                           "X-Real-IP",
                           "Forwarded",
                           "Traceparent",
                           "Proxy-Connection",
                           "Save-Data"}) {
    whole(get(std::string(name) + ": 1\r\n"));
  }
}

void random_requests_do_no_harm(void**) {
  auto random = unit_test::seeded_random();
  for (int i = 0; i < 20000; ++i) {
    const std::string bytes = get(unit_test::random_text(random, 60, "AHhost: \r\n\t5-length"));
    RequestHead at_once;
    RequestHead in_pieces;
    const State state = at_once.read(bytes, kLimits);
    State piecewise = State::kMore;
    for (size_t size = 1; size <= bytes.size() && piecewise == State::kMore; ++size) {
      piecewise = in_pieces.read(std::string_view(bytes).substr(0, size), kLimits);
    }
    assert_for(bytes.c_str(), piecewise == state && at_once.size() == in_pieces.size());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_header_is_measured),
      cmocka_unit_test(it_may_come_in_any_pieces),
      cmocka_unit_test(the_body_is_told),
      cmocka_unit_test(ambiguous_bodies_are_refused),
      cmocka_unit_test(malformed_lines_are_refused),
      cmocka_unit_test(malformed_request_lines_are_refused),
      cmocka_unit_test(what_is_no_request_is_refused_at_once),
      cmocka_unit_test(limits_are_kept),
      cmocka_unit_test(names_that_libwebsockets_misreads_are_refused),
      cmocka_unit_test(random_requests_do_no_harm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
