#include "engine/core/json.h"

#include <array>
#include <vector>

#include "tests/unit/unit_test.h"

using namespace signalbox::json;
using unit_test::Exact;

namespace {

// Has something of everything.
constexpr std::string_view kDocument =
    R"({"sdp":"v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\n","n":[0,-1,2.5,1e9,-0.25E-3,10],)"
    R"("t":true,"f":false,"z":null,"o":{"\u00e9\ud83d\ude00":"\"\\\/\b\f\n\r\t"},"e":[],"g":{}})";

void accepts_valid_documents(void**) {
  struct Case {
    const char* text;
    Type type;
  };
  for (const Case& c : {Case{"null", Type::kNull},
                        {"true", Type::kBoolean},
                        {"false", Type::kBoolean},
                        {"0", Type::kNumber},
                        {"-0", Type::kNumber},
                        {"-12.5e+3", Type::kNumber},
                        {"1E400", Type::kNumber},
                        {"1e-0", Type::kNumber},
                        {"\"\"", Type::kString},
                        {"\"\\u0000\"", Type::kString},
                        {"\"\\ud800\"", Type::kString},
                        {"\"\x7f \xe2\x82\xac\"", Type::kString},
                        {"[]", Type::kArray},
                        {"[ ]", Type::kArray},
                        {"[1 , [ ] , {} ]", Type::kArray},
                        {"{}", Type::kObject},
                        {"{ \"a\" : 1 , \"a\" : 2 }", Type::kObject}}) {
    const Exact text(c.text);
    assert_for(c.text, scan_document(text.view()).type == c.type);
    assert_text_equal(scan_document(text.view()).text, c.text);
  }
  assert_true(scan_document(kDocument).type == Type::kObject);
}

void refuses_invalid_documents(void**) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "nulll",
                           "True",
                           "NaN",
                           "Infinity",
                           "-Infinity",
                           "-",
                           "+1",
                           "01",
                           "-01",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "1.e5",
                           "0x10",
                           "1_0",
                           "1 2",
                           "\"",
                           "\"a",
                           "a\"",
                           "'a'",
                           "\"\\\"",
                           "\"\\x41\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\\u 123\"",
                           "\"\\U0041\"",
                           "\"a\nb\"",
                           "\"\x1f\"",
                           "\"\t\"",
                           "[",
                           "]",
                           "[,]",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "[1",
                           "[\"a\"",
                           "[1,,2]",
                           "[}",
                           "{",
                           "}",
                           "{]",
                           "{,}",
                           "{,\"a\":1}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{1:1}",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":1",
                           "{null:1}",
                           "[]]",
                           "{}}",
                           "[1]x",
                           "\"a\"\"b\"",
                           "\xef\xbb\xbf{}",
                           "\xc2\xa0"
                           "1",
                           "\v1",
                           "\f1",
                           "// c\n1",
                           "[1]/**/",
                           "\"\\\xc3\xa4\"",
                           "undefined",
                           "tru\xc0"}) {
    assert_for(text, !scan_document(Exact(text).view()).present());
  }
  assert_false(scan_document(std::string_view("\"a\0b\"", 5)).present());
  assert_false(scan_document(std::string_view("1\0", 2)).present());
}

void refuses_every_truncation(void**) {
  for (size_t length = 0; length < kDocument.size(); ++length) {
    const std::string_view text = kDocument.substr(0, length);
    const Exact exact(text);
    assert_for(text, !scan_document(exact.view()).present());
  }
}

void a_value_is_told_from_what_surrounds_it(void**) {
  size_t end = 0;
  const Value value = scan_value(" \r\n\t[1, 2] ,\"rest", &end);
  assert_true(value.type == Type::kArray);
  assert_text_equal(value.text, "[1, 2]");
  assert_int_equal(end, 10);
  assert_text_equal(scan_document("\n {\"a\": 1}\t ").text, "{\"a\": 1}");
  assert_false(scan_value(" ", &end).present());
  assert_false(scan_value("]", &end).present());
}

void nesting_is_bounded(void**) {
  const auto nested = [](size_t depth, const char* open, const char* close) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  for (const auto& [open, close] : {std::pair{"[", "]"}, {"{\"a\":", "}"}, {"[{\"a\":", "}]"}}) {
    const size_t levels = std::string_view(open).starts_with("[{") ? 2 : 1;
    assert_true(scan_document(nested(kMaxDepth / levels, open, close)).present());
    assert_false(scan_document(nested(kMaxDepth / levels + 1, open, close)).present());
    assert_false(scan_document(nested(100000, open, close)).present());
  }
  assert_true(scan_array(nested(kMaxDepth, "[", "]"), {}).has_value());
  assert_false(scan_array(nested(kMaxDepth + 1, "[", "]"), {}).has_value());
}

// The scan of strings takes eight bytes at a time.
void finds_what_ends_a_string_at_every_position(void**) {
  for (size_t length = 1; length < 40; ++length) {
    std::string inside(length, '\x7f');
    assert_true(scan_document(Exact('"' + inside + '"').view()).present());
    for (size_t at = 0; at < length; ++at) {
      for (const char c : {'"', '\\', '\x1f', '\0', '\n'}) {
        inside[at] = c;
        const std::string text = '"' + inside + '"';
        assert_false(scan_document(Exact(text).view()).present());
      }
      for (const char c : {' ', '!', '#', '[', ']', '\x80', '\xa2', '\xdc', '\xff'}) {
        inside[at] = c;
        const std::string text = '"' + inside + '"';
        assert_true(scan_document(Exact(text).view()).present());
        std::string decoded;
        assert_true(decode_string(Exact(text).view(), decoded));
        assert_text_equal(decoded, inside);
      }
      inside[at] = '\x7f';
    }
  }
}

void an_array_gives_its_elements(void**) {
  std::array<Value, 3> elements;
  assert_int_equal(scan_array(R"( [ "a" , {"b":[1]},null, 4 ] )", elements).value_or(0), 4);
  assert_text_equal(elements[0].text, "\"a\"");
  assert_text_equal(elements[1].text, R"({"b":[1]})");
  assert_true(elements[1].type == Type::kObject);
  assert_true(elements[2].type == Type::kNull);
  assert_int_equal(scan_array("[]", elements).value_or(99), 0);
  assert_int_equal(scan_array("[1,2]", {}).value_or(99), 2);
  for (const char* text : {"", "{}", "1", "null", "[1,2", "[1,2]x", "[1,2,3,4,]"}) {
    assert_for(text, !scan_array(text, elements).has_value());
  }
}

void an_object_in_an_array_is_looked_into_without_another_scan(void**) {
  const std::string seven = R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"a":7})";
  for (const std::string& object : {std::string("{}"), std::string(R"({"a":1})"),
                                    std::string(R"( { "b" : [ 2 ] , "\u0061":{} } )"),
                                    std::string(R"({"a":1,"a":2})"), seven}) {
    const std::string array = "[\"name\"," + object + ",3]";
    const Exact text(array);
    ScannedObject second;
    assert_int_equal(scan_array(text.view(), {}, &second).value_or(0), 3);
    std::array<Member, 3> expected = {{{"a", {}}, {"b", {}}, {"none", {}}}};
    std::array<Member, 3> found = expected;
    assert_true(scan_object(object, expected));
    find_members(second, found);
    for (size_t i = 0; i < found.size(); ++i) {
      assert_text_equal(found[i].value.text, expected[i].value.text);
      assert_true(found[i].value.type == expected[i].value.type);
    }
  }
  for (const char* text : {"[{}]", "[1,2]", "[1,[{}]]", "[1,2,{}]", "[]"}) {
    ScannedObject none;
    assert_true(scan_array(text, {}, &none).has_value());
    assert_for(text, none.text.empty());
  }
}

void an_object_gives_the_members_asked_for(void**) {
  Member members[] = {{"roomId", {}}, {"absent", {}}, {"", {}}, {"caf\xc3\xa9", {}}};
  assert_true(scan_object(
      R"( { "x":{"roomId":0} , "roomId" : "1" , "room\u0049d":[2], "ROOMID":3, "":4, "caf\u00E9":5 } )",
      members));
  assert_text_equal(members[0].value.text, "[2]");  // the last of two, as in JSON.parse
  assert_false(members[1].value.present());
  assert_text_equal(members[2].value.text, "4");
  assert_text_equal(members[3].value.text, "5");

  assert_true(scan_object("{}", members));
  assert_false(members[0].value.present());  // nothing is left of the search before

  for (const char* text : {"", "[]", "\"roomId\"", "null", R"({"roomId":1)", R"({"roomId":1}})",
                           R"({"roomId":1,})", R"({"roomId":01})"}) {
    assert_for(text, !scan_object(text, members));
  }
}

void a_name_with_nul_or_a_lone_surrogate_is_no_other_name(void**) {
  Member members[] = {{"roomId", {}}};
  assert_true(scan_object(R"({"roomId\u0000":1,"roomId\ud800":2,"\ud800roomId":3})", members));
  assert_false(members[0].value.present());
}

void strings_are_decoded_to_utf8(void**) {
  struct Case {
    const char* quoted;
    std::string_view text;
  };
  for (const Case& c :
       {Case{R"("")", ""},
        {R"("plain")", "plain"},
        {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
        {R"("\u0041\u00e9\u20AC")", "A\xc3\xa9\xe2\x82\xac"},
        {R"("\ud83d\ude00")", "\xf0\x9f\x98\x80"},
        {R"("\uD800\uDC00\udbff\udfff")", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {R"("a\u0000b")", std::string_view("a\0b", 3)},
        {R"("\u007f\u0080\u07ff\u0800\uffff")", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"}}) {
    std::string text = "replaced";
    assert_for(c.quoted, decode_string(Exact(c.quoted).view(), text));
    assert_text_equal(text, c.text);
  }
}

void what_is_no_string_or_no_unicode_is_not_decoded(void**) {
  for (const char* quoted : {"",
                             "\"",
                             "a",
                             "1",
                             "null",
                             "[\"a\"]",
                             "\"a\" ",
                             " \"a\"",
                             "\"a\"x",
                             "\"a",
                             "\"\\\"",
                             R"("\ud800")",
                             R"("\udc00")",
                             R"("\ud800\ud800")",
                             R"("\udc00\udc00")",
                             R"("\ud800x")",
                             R"("\ud800\n")",
                             R"("\ud800\u0041")",
                             R"("\ud83d\\ude00")",
                             R"("\ude00\ud83d")",
                             R"("\ud83d\u")"}) {
    std::string text;
    assert_for(quoted, !decode_string(Exact(quoted).view(), text));
  }
}

void appended_strings_are_escaped(void**) {
  std::string out = "[";
  append_string(out, std::string_view("a\"b\\c/\b\f\n\r\t\0\x1f\x7f\xc3\xa4", 16));
  assert_text_equal(out, "[\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\xc3\xa4\"");
}

void any_text_comes_back(void**) {
  auto random = unit_test::seeded_random();
  for (int i = 0; i < 5000; ++i) {
    const std::string text = unit_test::random_bytes(random, 60);
    std::string quoted;
    append_string(quoted, text);
    assert_true(scan_document(Exact(quoted).view()).type == Type::kString);
    std::string decoded;
    assert_true(decode_string(Exact(quoted).view(), decoded));
    assert_text_equal(decoded, text);
  }
}

// Whatever is accepted is accepted again without what surrounds it, and as an element and a member.
void random_input_is_judged_consistently(void**) {
  auto random = unit_test::seeded_random();
  size_t accepted = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string text(kDocument);
    for (size_t n = unit_test::below(random, 3); n > 0; --n) {
      text = unit_test::mutated(random, std::move(text), "{}[]\",:\\u0189aedtfn -.+\n\x01\x80");
    }
    if (i % 2 == 0) text = unit_test::random_text(random, 12, "{}[]\",:\\u08e-. tn");
    const Exact exact(text);
    const Value value = scan_document(exact.view());
    const bool array_valid = scan_array(exact.view(), {}).has_value();
    assert_for(text, array_valid == (value.type == Type::kArray));
    assert_for(text, scan_object(exact.view(), {}) == (value.type == Type::kObject));
    const std::string wrapped = "[1," + text + "]";
    assert_for(text, !value.present() || scan_document(Exact(wrapped).view()).present());
    if (!value.present()) continue;
    ++accepted;
    assert_for(text, scan_document(Exact(value.text).view()).text == value.text);
    size_t end = 0;
    assert_for(text, scan_value(exact.view(), &end).text == value.text);
  }
  assert_true(accepted > 1000);  // else the test would say little
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(accepts_valid_documents),
      cmocka_unit_test(refuses_invalid_documents),
      cmocka_unit_test(refuses_every_truncation),
      cmocka_unit_test(a_value_is_told_from_what_surrounds_it),
      cmocka_unit_test(nesting_is_bounded),
      cmocka_unit_test(finds_what_ends_a_string_at_every_position),
      cmocka_unit_test(an_array_gives_its_elements),
      cmocka_unit_test(an_object_in_an_array_is_looked_into_without_another_scan),
      cmocka_unit_test(an_object_gives_the_members_asked_for),
      cmocka_unit_test(a_name_with_nul_or_a_lone_surrogate_is_no_other_name),
      cmocka_unit_test(strings_are_decoded_to_utf8),
      cmocka_unit_test(what_is_no_string_or_no_unicode_is_not_decoded),
      cmocka_unit_test(appended_strings_are_escaped),
      cmocka_unit_test(any_text_comes_back),
      cmocka_unit_test(random_input_is_judged_consistently),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
