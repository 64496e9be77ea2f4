#include "engine/socketio/packet.h"

#include "tests/unit/unit_test.h"

using namespace signalbox::socketio;
using unit_test::Exact;

namespace {

constexpr size_t kMaxAttachments = 10;
constexpr auto kNoId = std::nullopt;

struct Case {
  const char* text;
  PacketType type;
  const char* nsp;
  std::optional<uint64_t> id;
  const char* payload;
  uint32_t attachments = 0;
};

// "Packet encoding" of the protocol document.
const Case kExamples[] = {
    {"0", PacketType::kConnect, "/", kNoId, ""},
    {R"(0{"token":"123"})", PacketType::kConnect, "/", kNoId, R"({"token":"123"})"},
    {R"(0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"})", PacketType::kConnect, "/admin", kNoId,
     R"({"sid":"oSO0OpakMV_3jnilAAAA"})"},
    {R"(4{"message":"Not authorized"})", PacketType::kConnectError, "/", kNoId,
     R"({"message":"Not authorized"})"},
    {R"(2["foo"])", PacketType::kEvent, "/", kNoId, R"(["foo"])"},
    {R"(2/admin,["bar"])", PacketType::kEvent, "/admin", kNoId, R"(["bar"])"},
    {R"(212["foo"])", PacketType::kEvent, "/", 12, R"(["foo"])"},
    {R"(3/admin,13["bar"])", PacketType::kAck, "/admin", 13, R"(["bar"])"},
    {"1/admin,", PacketType::kDisconnect, "/admin", kNoId, ""},
    {R"(51-["baz",{"_placeholder":true,"num":0}])", PacketType::kBinaryEvent, "/", kNoId,
     R"(["baz",{"_placeholder":true,"num":0}])", 1},
    {R"(52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])",
     PacketType::kBinaryEvent, "/admin", kNoId,
     R"(["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])", 2},
    {R"(61-15["bar",{"_placeholder":true,"num":0}])", PacketType::kBinaryAck, "/", 15,
     R"(["bar",{"_placeholder":true,"num":0}])", 1},
};

void check(const Case& c) {
  const Exact exact(c.text);
  const auto packet = decode_packet(exact.view(), kMaxAttachments);
  assert_for(c.text, packet.has_value());
  assert_for(c.text, packet->type == c.type);
  assert_for(c.text, packet->id == c.id);
  assert_for(c.text, packet->attachments == c.attachments);
  assert_text_equal(packet->nsp, c.nsp);
  assert_text_equal(packet->payload.text, c.payload);
  assert_for(c.text, packet->payload.present() == (*c.payload != '\0'));
}

void the_examples_of_the_protocol_are_decoded(void**) {
  for (const Case& c : kExamples) check(c);
}

void the_examples_of_the_protocol_are_encoded(void**) {
  for (const Case& c : kExamples) {
    assert_text_equal(encode_packet(c.type, c.nsp, c.id, c.payload, c.attachments), c.text);
  }
  assert_text_equal(encode_packet(PacketType::kEvent, "/", 9007199254740991, R"(["a"])"),
                    R"(29007199254740991["a"])");
}

void leniency_is_that_of_the_reference_parser(void**) {
  for (const Case& c : {
           Case{"1", PacketType::kDisconnect, "/", kNoId, ""},
           {"1/admin", PacketType::kDisconnect, "/admin", kNoId, ""},
           {"0/admin", PacketType::kConnect, "/admin", kNoId, ""},
           {"0/,", PacketType::kConnect, "/", kNoId, ""},
           {"0/", PacketType::kConnect, "/", kNoId, ""},
           {"0/admin?token=1&x=2,{}", PacketType::kConnect, "/admin", kNoId, "{}"},
           {"0/?token=1", PacketType::kConnect, "/", kNoId, ""},
           {"0 ", PacketType::kConnect, "/", kNoId, ""},
           {"2", PacketType::kEvent, "/", kNoId, ""},
           {"3", PacketType::kAck, "/", kNoId, ""},
           {"31", PacketType::kAck, "/", 1, ""},
           {R"(2[1])", PacketType::kEvent, "/", kNoId, "[1]"},
           {R"(2[1e400,2])", PacketType::kEvent, "/", kNoId, "[1e400,2]"},
           {R"(20["x"])", PacketType::kEvent, "/", 0, R"(["x"])"},
           {R"(2007["x"])", PacketType::kEvent, "/", 7, R"(["x"])"},
           {R"(2 1["x"])", PacketType::kEvent, "/", 1, R"(["x"])"},
           {R"(21 ["x"])", PacketType::kEvent, "/", 1, R"(["x"])"},
           {R"(2 ["x"])", PacketType::kEvent, "/", kNoId, R"(["x"])"},
           {"2[ \"x\" ,\n1 ] \n", PacketType::kEvent, "/", kNoId, "[ \"x\" ,\n1 ]"},
           {R"(2/nsp,5["x"])", PacketType::kEvent, "/nsp", 5, R"(["x"])"},
           {R"(29007199254740991["x"])", PacketType::kEvent, "/", 9007199254740991, R"(["x"])"},
           {R"(3[])", PacketType::kAck, "/", kNoId, "[]"},
           {R"(37[null])", PacketType::kAck, "/", 7, "[null]"},
           {R"(4"no")", PacketType::kConnectError, "/", kNoId, R"("no")"},
           {"4", PacketType::kConnectError, "/", kNoId, ""},
           {R"(501-["x"])", PacketType::kBinaryEvent, "/", kNoId, R"(["x"])", 1},
           {R"(510-["x"])", PacketType::kBinaryEvent, "/", kNoId, R"(["x"])", 10},
           {R"(2["\u0063onnected"])", PacketType::kEvent, "/", kNoId, R"(["\u0063onnected"])"},
           {R"(2["__proto__",{"__proto__":1}])", PacketType::kEvent, "/", kNoId,
            R"(["__proto__",{"__proto__":1}])"},
           {R"(2["\ud800"])", PacketType::kEvent, "/", kNoId, R"(["\ud800"])"},
       }) {
    check(c);
  }
}

void hostile_packets_are_refused(void**) {
  for (const char* text : {
           // types
           "",
           " ",
           "7",
           "9",
           "999",
           "a",
           "-1",
           "/",
           "\xff",
           // events
           "2{}",
           R"(2"x")",
           "2[]",
           "2[null]",
           "2[true,1]",
           R"(2[{"toString":"x"}])",
           R"(2[["x"]])",
           R"(2["connect"])",
           R"(2["connect_error"])",
           R"(2["disconnect",1])",
           R"(2["disconnecting"])",
           R"(2["newListener"])",
           R"(2["removeListener"])",
           R"(2["\u0063onnect"])",
           "2null",
           "2true",
           R"(2["some","data")",
           R"(2["x",])",
           R"(2["x"]])",
           R"(2["x"]["y"])",
           R"(2["x)",
           "2[",
           "2x",
           // ids
           R"(2-1["x"])",
           R"(2abc["x"])",
           R"(2+1["x"])",
           R"(21.5["x"])",
           R"(21 1["x"])",
           R"(29007199254740992["x"])",
           R"(2999999999999999999999999999999["x"])",
           R"(299999999999999999999["x"])",
           R"(21e1["x"])",
           "2\v1[\"x\"]",
           // namespaces
           R"(2/["x","y"])",
           R"(2nsp,["x"])",
           // other types' payloads
           "0[]",
           R"(0"x")",
           "0null",
           "01x",
           "0{",
           R"(0{"a":1)",
           "0true",
           "1{}",
           "1[]",
           R"(1/a,"x")",
           "11x",
           "3{}",
           R"(3"x")",
           "31null",
           R"(31["x")",
           "4[]",
           "4null",
           "41.5",
           "4true",
           // attachments
           "5",
           "51",
           "5-",
           R"(5-["x"])",
           R"(50-["x"])",
           R"(500-["x"])",
           R"(5a-["x"])",
           R"(51.23-["x"])",
           R"(51.0-["x"])",
           R"(5-1-["x"])",
           R"(5+1-["x"])",
           R"(51e0-["x"])",
           R"(50x1-["x"])",
           R"(5 1-["x"])",
           R"(511-["x"])",
           R"(599999999999-["x"])",
           R"(599999999999999999999999-["x"])",
           R"(51["x"])",
           R"(5/nsp,1-["x"])",
           "51-",
           "51-/a,",
           "51-7",
           R"(51-{"x":1})",
           R"(51-["connect"])",
           "61-{}",
           R"(60-["x"])",
           R"(61["x"])",
           R"(6["x"])",
           R"(21-["x"])",
       }) {
    assert_for(text, !decode_packet(Exact(text).view(), kMaxAttachments).has_value());
  }
  assert_false(decode_packet(std::string_view("2[\"x\"]\0", 7), kMaxAttachments).has_value());
  assert_false(decode_packet(std::string_view("2\0[\"x\"]", 7), kMaxAttachments).has_value());
  assert_false(decode_packet(R"(51-["x"])", 0).has_value());
}

void deep_and_long_packets_are_judged(void**) {
  const auto nested = [](size_t depth) {
    return R"(2["x",)" + std::string(depth, '[') + std::string(depth, ']') + "]";
  };
  assert_true(decode_packet(nested(signalbox::json::kMaxDepth - 1), 0).has_value());
  assert_false(decode_packet(nested(signalbox::json::kMaxDepth), 0).has_value());
  assert_false(decode_packet(nested(100000), 0).has_value());
  assert_false(decode_packet("2" + std::string(100000, '['), 0).has_value());
  assert_false(decode_packet("2" + std::string(1000000, '1'), 0).has_value());
  assert_true(decode_packet("0/" + std::string(1000000, 'a'), 0).has_value());
  assert_true(decode_packet(R"(2["x",")" + std::string(1000000, 'a') + "\"]", 0).has_value());
}

void truncations_never_keep_half_a_payload(void**) {
  for (const Case& c : kExamples) {
    const std::string_view text = c.text;
    const std::string_view payload = c.payload;
    for (size_t length = 0; length < text.size(); ++length) {
      const Exact exact(text.substr(0, length));
      const auto packet = decode_packet(exact.view(), kMaxAttachments);
      // Cut inside the payload, it is refused; cut before it, at least no payload is made up.
      const bool inside = !payload.empty() && length > text.size() - payload.size();
      if (inside) assert_for(exact.view(), !packet.has_value());
      assert_for(exact.view(), !packet || !packet->payload.present());
    }
  }
}

void events_are_split_byte_for_byte(void**) {
  struct Split {
    const char* payload;
    const char* name;
    std::string_view arguments;
  };
  for (const Split& s : {
           Split{R"(["foo"])", "foo", ""},
           {R"(["foo",1])", "foo", "1"},
           {R"(["foo",1,"a,b]",{"c":[2]}])", "foo", R"(1,"a,b]",{"c":[2]})"},
           {R"([ "foo" , 1 , 2 ])", "foo", " 1 , 2 "},
           {R"([ "foo" ])", "foo", ""},
           {R"(["f\u006f\"o",null])", "fo\"o", "null"},
           {R"(["a]b,c",[]])", "a]b,c", "[]"},
           {R"([12.50,1])", "12.50", "1"},
           {R"([-1])", "-1", ""},
           {R"(["",0])", "", "0"},
           {R"(["offer",{"offer":{"sdp":"v=0\r\n"},"n":1.0,"d":1,"d":2}])", "offer",
            R"({"offer":{"sdp":"v=0\r\n"},"n":1.0,"d":1,"d":2})"},
       }) {
    const Exact exact("2" + std::string(s.payload) + " ");
    const auto packet = decode_packet(exact.view(), 0);
    assert_for(s.payload, packet && packet->event);
    assert_text_equal(packet->event->name, s.name);
    assert_text_equal(packet->event->arguments, s.arguments);
  }
}

void what_has_no_name_is_no_event(void**) {
  for (const char* payload : {"", "[]", "[ ]", "[", "]", "[null]", "[{}]", "{}", "\"x\"", "[,]",
                              R"(["x" 1])", R"(["\ud800"])", R"(["x)", "[\"x\""}) {
    const Exact exact("2" + std::string(payload));
    const auto packet = decode_packet(exact.view(), 0);
    assert_for(payload, !packet || !packet->event);
  }
}

void placeholders_mean_every_attachment(void**) {
  struct Valid {
    const char* payload;
    size_t attachments;
  };
  for (const Valid& v : {
           Valid{R"(["e",{"_placeholder":true,"num":0}])", 1},
           {R"(["e",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])", 2},
           {R"(["e",{"a":[{"b":{"num":0,"_placeholder":true}}]}])", 1},
           {R"([ "e" , { "_placeholder" : true , "num" : 0 } ])", 1},
           {R"(["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])", 1},
           {R"(["e",{"\u005fplaceholder":true,"n\u0075m":0}])", 1},
           {R"(["e",{"_placeholder":false,"num":9},{"_placeholder":true,"num":0}])", 1},
           {R"(["e",{"_placeholder":true,"num":5,"num":0}])", 1},
           {R"(["e",{"num":7},"_placeholder",{"\ud800":{}},{"_placeholder":true,"num":0}])", 1},
       }) {
    assert_for(v.payload, placeholders_valid(Exact(v.payload).view(), v.attachments));
    assert_for(v.payload, !placeholders_valid(Exact(v.payload).view(), v.attachments + 1));
    assert_for(v.payload, !placeholders_valid(Exact(v.payload).view(), v.attachments - 1));
  }
  assert_true(placeholders_valid(R"(["e",1])", 0));
}

void lying_placeholders_are_found(void**) {
  for (const char* value : {"-1", "1", "1e0", "0.0", "-0", "00", "\"0\"", "\"splice\"", "null",
                            "[0]", "{}", "true", "99999999999999999999999"}) {
    const std::string payload =
        R"(["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":)" + std::string(value) +
        "}]";
    assert_for(payload, !placeholders_valid(Exact(payload).view(), 1));
  }
  for (const char* payload :
       {R"(["e"])", R"(["e",{"_placeholder":true}])",
        R"(["e",{"_placeholder\ud800":true,"num":0}])", R"(["e",{"num":0}])",
        R"(["e",{"_placeholder":"true","num":0}])", R"(["e",{"_placeholder":1,"num":0}])",
        R"(["e",{"_placeholder":true,"num":0},{"_placeholder":true}])", "", "[",
        R"(["e",{"_placeholder":true,"num":0)", R"(["e",{"_placeholder")"}) {
    assert_for(payload, !placeholders_valid(Exact(payload).view(), 1));
  }
  const std::string deep(100000, '[');
  assert_false(placeholders_valid(deep, 1));
}

// Whatever is accepted is encoded to a text that means the same.
void random_packets_are_judged_consistently(void**) {
  auto random = unit_test::seeded_random();
  size_t accepted = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string text = kExamples[unit_test::below(random, std::size(kExamples))].text;
    for (size_t n = unit_test::below(random, 4); n > 0; --n) {
      text = unit_test::mutated(random, std::move(text), "0123456789-/,[]{}\":?\\ etrun\x01\xff");
    }
    const Exact exact(text);
    const auto packet = decode_packet(exact.view(), kMaxAttachments);
    if (!packet) continue;
    ++accepted;
    assert_for(text, packet->nsp.starts_with('/'));
    const std::string again = encode_packet(packet->type, packet->nsp, packet->id,
                                            packet->payload.text, packet->attachments);
    const auto same = decode_packet(Exact(again).view(), kMaxAttachments);
    assert_for(text, same.has_value());
    placeholders_valid(packet->payload.text, packet->attachments);
  }
  assert_true(accepted > 5000);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_examples_of_the_protocol_are_decoded),
      cmocka_unit_test(the_examples_of_the_protocol_are_encoded),
      cmocka_unit_test(leniency_is_that_of_the_reference_parser),
      cmocka_unit_test(hostile_packets_are_refused),
      cmocka_unit_test(deep_and_long_packets_are_judged),
      cmocka_unit_test(truncations_never_keep_half_a_payload),
      cmocka_unit_test(events_are_split_byte_for_byte),
      cmocka_unit_test(what_has_no_name_is_no_event),
      cmocka_unit_test(placeholders_mean_every_attachment),
      cmocka_unit_test(lying_placeholders_are_found),
      cmocka_unit_test(random_packets_are_judged_consistently),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
