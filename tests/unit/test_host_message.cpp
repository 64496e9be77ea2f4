#include "engine/host/message.h"

#include <string>
#include <vector>

#include "engine/core/json.h"
#include "tests/unit/unit_test.h"

using namespace signalbox::host;
using signalbox::ErrorCode;
using signalbox::Status;
using unit_test::Exact;
using Texts = std::vector<std::string>;

namespace {

std::string event(std::string_view name, std::string_view arguments, Texts attachments = {}) {
  Message message;
  const Status status =
      make_event(Exact(name).view(), Exact(arguments).view(), std::move(attachments), message);
  return status.ok() ? message.payload : "refused: " + status.text();
}

void an_event_is_its_name_and_its_arguments(void**) {
  assert_text_equal(event("e", "[]"), R"(["e"])");
  assert_text_equal(event("e", " [ \n] "), R"(["e"])");
  assert_text_equal(event("e", "[1]"), R"(["e",1])");
  assert_text_equal(event("e", " [1, {\"a\" : [ ]} ]\t"), R"(["e",1, {"a" : [ ]} ])");
  assert_text_equal(event("", "[[]]"), R"(["",[]])");
  assert_text_equal(event("a\"\\\n\xc3\xa9", "[]"), "[\"a\\\"\\\\\\n\xc3\xa9\"]");
  assert_text_equal(event(std::string_view("a\0b", 3), "[]"), R"(["a\u0000b"])");
}

void an_acknowledgement_is_its_arguments(void**) {
  Message message;
  assert_true(make_ack(" [1 ,2] ", {}, message).ok());
  assert_text_equal(message.payload, "[1 ,2]");
  assert_true(make_ack(R"([{"_placeholder":true,"num":0}])", {"bytes"}, message).ok());
  assert_int_equal(message.attachments.size(), 1);
  assert_text_equal(message.attachments[0], "bytes");
}

void arguments_that_are_no_array_are_refused(void**) {
  for (const char* text : {"", " ", "1", "{}", "null", "[", "]", "[1", "[1,]", "[,1]", "[1] 2",
                           "[]]", "\xef\xbb\xbf[]", "[\"\xff\"]", "[1]\v", "['a']", "[01]"}) {
    Message message;
    message.payload = "kept";
    const Status status = make_event("e", text, {}, message);
    assert_for(text, status.code() == ErrorCode::kInvalid);
    assert_for(text, status.text().find("args") != std::string::npos);
    assert_for(text, message.payload == "kept");
    assert_for(text, make_ack(text, {}, message).code() == ErrorCode::kInvalid);
    assert_for(text, message.payload == "kept");
  }
}

void arguments_have_a_greatest_depth(void**) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  Message message;
  assert_true(make_event("e", nested(signalbox::json::kMaxDepth), {}, message).ok());
  assert_false(make_event("e", nested(signalbox::json::kMaxDepth + 1), {}, message).ok());
  assert_false(make_event("e", std::string(1'000'000, '['), {}, message).ok());
}

void attachments_and_places_match(void**) {
  const std::string zero = R"({"_placeholder":true,"num":0})";
  const std::string one = R"({"_placeholder":true,"num":1})";
  assert_text_equal(event("e", "[" + zero + "]", {"a"}), R"(["e",)" + zero + "]");
  assert_text_equal(event("e", "[[" + one + "]," + zero + "]", {"a", ""}),
                    R"(["e",[)" + one + "]," + zero + "]");
  assert_text_equal(event("e", "[" + zero + "]"), R"(["e",)" + zero + "]");  // like any object
  for (const std::string& arguments :
       {std::string("[]"), "[" + one + "]", "[" + zero + "," + one + "]"}) {
    assert_for(arguments, event("e", arguments, {"a"}).find("1 attachments") != std::string::npos);
  }
}

void reserved_events_are_refused(void**) {
  for (const char* name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener",
                           "removeListener"}) {
    assert_for(name, check_event(name).code() == ErrorCode::kInvalid);
    assert_for(name, event(name, "[]").find(name) != std::string::npos);
    assert_for(name, event(name, "[]").starts_with("refused"));
  }
  for (const char* name : {"", "Connect", "connected", "message", "error", "disconnect "}) {
    assert_for(name, check_event(name).ok());
  }
  assert_false(check_event("\xff").ok());
}

void names_have_their_rules(void**) {
  const std::string longest_namespace = "/" + std::string(127, 'a');
  for (const std::string& name : {std::string("/"), std::string("/a"), std::string("//"),
                                  std::string("/a/b#c d"), longest_namespace}) {
    assert_for(name, check_namespace(name).ok());
  }
  for (const std::string& name :
       {std::string(), std::string("a"), std::string("/a,"), std::string("/?"), std::string("/\n"),
        std::string("/\0", 2), std::string("/\xff"), longest_namespace + "a"}) {
    assert_for(name, check_namespace(name).code() == ErrorCode::kInvalid);
  }
  assert_true(check_room(std::string(256, 'r')).ok());
  assert_false(check_room(std::string(257, 'r')).ok());
  assert_false(check_room("").ok());
  assert_false(check_room("\xc3").ok());
  for (const char* prefix : {"/", "/a", "/a/b", "/a.b", "//a"}) {
    assert_for(prefix, check_prefix(prefix).ok());
  }
  for (const char* prefix : {"", "a", "/a/", "//", "/\xff"}) {
    assert_for(prefix, check_prefix(prefix).code() == ErrorCode::kInvalid);
  }
}

void a_header_is_added_behind_the_others(void**) {
  signalbox::net::Response response;
  assert_true(add_header(response, "X-A", "1").ok());
  assert_true(add_header(response, "Set-Cookie", "a=\xe9\t;").ok());
  assert_true(add_header(response, "Set-Cookie", "").ok());
  assert_text_equal(response.headers, "X-A: 1\r\nSet-Cookie: a=\xe9\t;\r\nSet-Cookie: \r\n");
  assert_true(add_header(response, "content-TYPE", "text/plain").ok());
  assert_text_equal(response.content_type, "text/plain");
}

void headers_that_would_harm_are_refused(void**) {
  signalbox::net::Response response;
  for (const char* name : {"", " ", "a b", "a:", "a\r\n", "\xc3\xa9", "(a)", "Content-Length",
                           "CONNECTION", "keep-alive", "transfer-encoding", "Upgrade",
                           "Access-Control-Allow-Origin", "access-control-x"}) {
    assert_for(name, add_header(response, name, "v").code() == ErrorCode::kInvalid);
  }
  for (const std::string& value : {std::string("a\r\nb: c"), std::string("\n"), std::string("\r"),
                                   std::string("\0", 1), std::string("\x7f")}) {
    assert_for(value, add_header(response, "X-A", value).code() == ErrorCode::kInvalid);
    assert_for(value, add_header(response, "Content-Type", value).code() == ErrorCode::kInvalid);
  }
  assert_text_equal(response.headers, "");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_event_is_its_name_and_its_arguments),
      cmocka_unit_test(an_acknowledgement_is_its_arguments),
      cmocka_unit_test(arguments_that_are_no_array_are_refused),
      cmocka_unit_test(arguments_have_a_greatest_depth),
      cmocka_unit_test(attachments_and_places_match),
      cmocka_unit_test(reserved_events_are_refused),
      cmocka_unit_test(names_have_their_rules),
      cmocka_unit_test(a_header_is_added_behind_the_others),
      cmocka_unit_test(headers_that_would_harm_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
