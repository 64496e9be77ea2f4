#include "engine/engineio/packet.h"

#include <vector>

#include "tests/unit/unit_test.h"

using namespace signalbox::engineio;
using unit_test::Exact;

namespace {

// The packets of a payload in brackets, "t:" or "b:" before the data, and "!" where it failed.
std::string read_all(std::string_view payload) {
  const Exact exact(payload);
  PayloadReader reader(exact.view());
  std::string result;
  while (const auto packet = reader.next()) {
    result += std::string("[") + (packet->binary ? 'b' : 't') + static_cast<char>(packet->type) +
              ":" + std::string(packet->data) + "]";
  }
  assert_false(reader.next().has_value());  // the end is the end
  return result + (reader.failed() ? "!" : "");
}

// "Packet encoding" of the protocol document.
void packets_of_the_protocol_are_decoded(void**) {
  struct Case {
    const char* text;
    PacketType type;
    const char* data;
  };
  for (const Case& c : {Case{"4hello", PacketType::kMessage, "hello"},
                        {"0{\"sid\":\"x\"}", PacketType::kOpen, "{\"sid\":\"x\"}"},
                        {"1", PacketType::kClose, ""},
                        {"2", PacketType::kPing, ""},
                        {"2probe", PacketType::kPing, "probe"},
                        {"3", PacketType::kPong, ""},
                        {"3probe", PacketType::kPong, "probe"},
                        {"5", PacketType::kUpgrade, ""},
                        {"6", PacketType::kNoop, ""},
                        {"4", PacketType::kMessage, ""},
                        {"4\xe2\x82\xac\x1e", PacketType::kMessage, "\xe2\x82\xac\x1e"}}) {
    const Exact exact(c.text);
    const auto packet = decode_packet(exact.view());
    assert_for(c.text, packet && packet->type == c.type && !packet->binary);
    assert_text_equal(packet->data, c.data);
  }
}

void unknown_types_are_refused(void**) {
  for (const char* text : {"", "7", "9x", "/", ":", " 4", "a", "bAQID", "\x1e", "\xff", "-1"}) {
    assert_for(text, !decode_packet(Exact(text).view()).has_value());
  }
  assert_false(decode_packet(std::string_view("\0", 1)).has_value());
}

// "HTTP long-polling" of the protocol document.
void payloads_of_the_protocol_are_read(void**) {
  assert_text_equal(read_all("4hello\x1e"
                             "2\x1e"
                             "4world"),
                    "[t4:hello][t2:][t4:world]");
  assert_text_equal(read_all("4hello\x1e"
                             "bAQIDBA=="),
                    "[t4:hello][b4:\x01\x02\x03\x04]");
  assert_text_equal(read_all("3"), "[t3:]");
  assert_text_equal(read_all("b"), "[b4:]");
  assert_text_equal(read_all("bAQIDBA"), "[b4:\x01\x02\x03\x04]");
  assert_text_equal(read_all("1\x1e"
                             "4after close"),
                    "[t1:][t4:after close]");
}

void reading_ends_at_an_invalid_packet(void**) {
  assert_text_equal(read_all(""), "!");
  assert_text_equal(read_all("\x1e"), "!");
  assert_text_equal(read_all("4a\x1e"), "[t4:a]!");
  assert_text_equal(read_all("\x1e"
                             "4a"),
                    "!");
  assert_text_equal(read_all("4a\x1e\x1e"
                             "4b"),
                    "[t4:a]!");
  assert_text_equal(read_all("4a\x1e"
                             "7\x1e"
                             "4b"),
                    "[t4:a]!");
  assert_text_equal(read_all("4a\x1e"
                             "bA\x1e"
                             "4b"),
                    "[t4:a]!");
  assert_text_equal(read_all("b****"), "!");
  assert_text_equal(read_all("bAQID BA=="), "!");
  assert_text_equal(read_all("abc"), "!");
}

void truncations_of_a_payload_are_shorter_payloads_or_fail(void**) {
  const std::string payload =
      "4hello\x1e"
      "2\x1e"
      "bAQIDBA==";
  const std::string whole = read_all(payload);
  for (size_t length = 0; length < payload.size(); ++length) {
    const std::string read = read_all(std::string_view(payload).substr(0, length));
    assert_for(payload.substr(0, length), read != whole || length == payload.size() - 2);
    const bool cut_at_packet = length == 0 || payload[length - 1] == kRecordSeparator;
    if (cut_at_packet) assert_for(payload.substr(0, length), read.ends_with('!'));
  }
}

void payloads_are_composed(void**) {
  std::string payload;
  append_to_payload(payload, PacketType::kMessage, false, "hello");
  assert_text_equal(payload, "4hello");
  append_to_payload(payload, PacketType::kPing, false, "");
  append_to_payload(payload, PacketType::kMessage, true, "\x01\x02\x03\x04");
  append_to_payload(payload, PacketType::kMessage, true, "");
  assert_text_equal(payload,
                    "4hello\x1e"
                    "2\x1e"
                    "bAQIDBA==\x1e"
                    "b");
}

void many_packets_are_read_one_by_one(void**) {
  const std::string separators(1000000, kRecordSeparator);
  assert_text_equal(read_all(separators), "!");
  std::string payload = "4";
  for (int i = 1; i < 100000; ++i)
    payload +=
        "\x1e"
        "4";
  const Exact exact(payload);
  PayloadReader reader(exact.view());
  size_t count = 0;
  while (reader.next()) ++count;
  assert_int_equal(count, 100000);
  assert_false(reader.failed());
}

void what_is_composed_comes_back(void**) {
  auto random = unit_test::seeded_random();
  for (int i = 0; i < 1000; ++i) {
    std::string payload, expected;
    for (size_t n = 1 + unit_test::below(random, 5); n > 0; --n) {
      const bool binary = unit_test::below(random, 2) == 0;
      std::string data = unit_test::random_bytes(random, 30);
      if (!binary) std::erase(data, kRecordSeparator);
      const auto type = binary ? PacketType::kMessage
                               : static_cast<PacketType>('0' + unit_test::below(random, 7));
      append_to_payload(payload, type, binary, data);
      expected +=
          std::string("[") + (binary ? 'b' : 't') + static_cast<char>(type) + ":" + data + "]";
    }
    assert_text_equal(read_all(payload), expected);
    read_all(unit_test::mutated(random, payload, "0123456789b=\x1e\xff"));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(packets_of_the_protocol_are_decoded),
      cmocka_unit_test(unknown_types_are_refused),
      cmocka_unit_test(payloads_of_the_protocol_are_read),
      cmocka_unit_test(reading_ends_at_an_invalid_packet),
      cmocka_unit_test(truncations_of_a_payload_are_shorter_payloads_or_fail),
      cmocka_unit_test(payloads_are_composed),
      cmocka_unit_test(many_packets_are_read_one_by_one),
      cmocka_unit_test(what_is_composed_comes_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
