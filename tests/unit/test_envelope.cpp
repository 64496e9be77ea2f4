#include "engine/store/envelope.h"

#include <vector>

#include "tests/unit/unit_test.h"

using namespace signalbox::store;
using unit_test::Exact;

namespace {

constexpr uint8_t kKinds = 9;
constexpr size_t kHead = 18;  // before the fields
constexpr size_t kFields = 4;
constexpr size_t kStamp = 8;  // behind them
constexpr size_t kMostAttachments = 1000;

std::string every_byte() {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  return all;
}

Envelope full(std::string_view bytes) {
  Envelope envelope;
  envelope.kind = EnvelopeKind::kRelay;
  envelope.sender = "aB-_";
  envelope.route = 0xfedcba98U;
  envelope.sequence = 0x0123456789abcdefU;
  envelope.scope = "/nsp";
  envelope.room = "4821";
  envelope.socket = "aB-_0123456789abcdef";
  envelope.packet = bytes;
  envelope.attachments = {bytes, "", "x"};
  envelope.stamp = 0xf0e0d0c0b0a09080U;
  return envelope;
}

void assert_same(const Envelope& a, const Envelope& b) {
  assert_true(a.kind == b.kind);
  assert_text_equal(a.sender, b.sender);
  assert_true(a.route == b.route && a.sequence == b.sequence && a.stamp == b.stamp);
  assert_text_equal(a.scope, b.scope);
  assert_text_equal(a.room, b.room);
  assert_text_equal(a.socket, b.socket);
  assert_text_equal(a.packet, b.packet);
  assert_true(a.attachments == b.attachments);
}

DecodeResult decode_copy(std::string_view bytes) {
  const Exact exact(bytes);
  Envelope envelope;
  return decode(exact.view(), envelope);
}

std::string number(uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

void each_kind_arrives_as_it_was_sent(void**) {
  const std::string bytes = every_byte();
  for (uint8_t kind = 1; kind <= kKinds; ++kind) {
    Envelope sent = full(bytes);
    sent.kind = static_cast<EnvelopeKind>(kind);
    const std::string wire = encode(sent);
    const Exact exact(wire);
    Envelope got;
    assert_true(decode(exact.view(), got) == DecodeResult::kOk);
    assert_same(got, sent);
  }
}

void an_empty_envelope_arrives_too(void**) {
  Envelope sent;
  sent.sender = "node";
  const std::string wire = encode(sent);
  assert_int_equal(wire.size(), kHead + kFields * 4 + kStamp);
  Envelope got = full(wire);  // nothing of it may remain
  assert_true(decode(wire, got) == DecodeResult::kOk);
  assert_same(got, sent);
}

// Nodes of two releases talk to each other while one replaces the other.
void the_form_on_the_wire_stays(void**) {
  Envelope envelope;
  envelope.kind = EnvelopeKind::kNamespaceEvent;
  envelope.sender = "node";
  envelope.route = 0x01020304;
  envelope.sequence = 0x05;
  envelope.scope = "/";
  envelope.room = "r";
  envelope.packet = "2[]";
  envelope.attachments = {"ab"};
  envelope.stamp = 0x06;
  const std::string expected =
      std::string("\x01\x09node\x01\x02\x03\x04\0\0\0\0\0\0\0\x05", kHead) + number(1) + "/" +
      number(1) + "r" + number(0) + number(3) + "2[]" + number(2) + "ab";
  assert_text_equal(encode_unstamped(envelope), expected);
  assert_text_equal(encode(envelope), expected + std::string("\0\0\0\0\0\0\0\x06", kStamp));
}

// Unless what is left ends where the attachments, of which there may be any number, begin or end:
// then its last bytes are taken for the stamp.
void a_cut_envelope_is_malformed(void**) {
  const std::string wire = encode(full("packet"));
  std::vector<size_t> ends;
  size_t end = kHead + kFields * 4 + kStamp;
  for (const size_t field : {4, 4, 20, 6}) end += field;
  for (const size_t attachment : {6, 0, 1}) {
    ends.push_back(end);
    end += 4 + attachment;
  }
  assert_int_equal(end, wire.size());
  for (size_t size = 0; size < wire.size(); ++size) {
    const bool whole = std::find(ends.begin(), ends.end(), size) != ends.end();
    const DecodeResult expected = whole ? DecodeResult::kOk : DecodeResult::kMalformed;
    assert_for(std::to_string(size), decode_copy(wire.substr(0, size)) == expected);
  }
  assert_true(decode_copy(wire + '\0') == DecodeResult::kMalformed);
}

void a_length_beyond_the_end_is_malformed(void**) {
  const std::string wire = encode(full("packet"));
  const std::string fields[] = {"/nsp", "4821", "aB-_0123456789abcdef", "packet", "packet",
                                "",     "x"};
  size_t at = kHead;
  for (const std::string& field : fields) {
    size_t rest = wire.size() - kStamp - at - 4;
    for (const size_t length :
         {rest + 1, size_t{0x7fffffff}, size_t{0x80000000}, size_t{0xffffffff}}) {
      std::string wrong = wire;
      wrong.replace(at, 4, number(static_cast<uint32_t>(length)));
      assert_for(std::to_string(at), decode_copy(wrong) == DecodeResult::kMalformed);
    }
    at += 4 + field.size();
  }
}

void what_a_later_version_says_is_unknown(void**) {
  const std::string wire = encode(full("packet"));
  for (const int version : {0, 2, 255}) {
    std::string other = wire;
    other[0] = static_cast<char>(version);
    Envelope got;
    assert_true(decode(other, got) == DecodeResult::kUnknown);
    assert_true(got.sender.empty());  // who knows where it is
    assert_true(decode_copy(other.substr(0, 1)) == DecodeResult::kUnknown);
  }
}

// Its place in the sequence is known all the same.
void a_later_kind_is_unknown(void**) {
  for (const int kind : {0, kKinds + 1, 255}) {
    Envelope sent = full("packet");
    sent.kind = static_cast<EnvelopeKind>(kind);
    const std::string wire = encode(sent);
    Envelope got;
    assert_true(decode(wire, got) == DecodeResult::kUnknown);
    assert_same(got, sent);
  }
}

void attachments_are_counted(void**) {
  Envelope sent = full("packet");
  sent.attachments.assign(kMostAttachments, "a");
  const std::string most = encode(sent);
  Envelope got;
  assert_true(decode(most, got) == DecodeResult::kOk);
  assert_int_equal(got.attachments.size(), kMostAttachments);
  assert_true(decode_copy(most + number(0)) == DecodeResult::kMalformed);
  sent.attachments.emplace_back();
  assert_true(decode_copy(encode(sent)) == DecodeResult::kMalformed);
}

void random_bytes_do_no_harm(void**) {
  auto random = unit_test::seeded_random();
  const std::string wire = encode(full("packet"));
  for (int round = 0; round < 50000; ++round) {
    decode_copy(unit_test::random_bytes(random, 60));
    decode_copy(wire.substr(0, kHead) + unit_test::random_bytes(random, 60));
    decode_copy(unit_test::mutated(random, wire, std::string("\0\x01\x04\x09\xff", 5)));
  }
}

// What decodes is what its parts encode to: nothing is read that is not there, nothing is ignored.
void what_decodes_encodes_to_the_same(void**) {
  auto random = unit_test::seeded_random();
  const std::string wire = encode(full("packet"));
  size_t decoded = 0;
  for (int round = 0; round < 50000; ++round) {
    const std::string bytes = unit_test::mutated(random, wire, std::string("\0\x01\x03\xff", 4));
    Envelope got;
    if (decode(bytes, got) != DecodeResult::kOk) continue;
    ++decoded;
    assert_text_equal(encode(got), bytes);
  }
  assert_true(decoded > 1000);
}

void a_socket_names_its_node(void**) {
  assert_text_equal(node_of("aB-_0123456789abcdef"), "aB-_");
  assert_text_equal(node_of("aB"), "aB");
  assert_text_equal(node_of(""), "");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_arrives_as_it_was_sent),
      cmocka_unit_test(an_empty_envelope_arrives_too),
      cmocka_unit_test(the_form_on_the_wire_stays),
      cmocka_unit_test(a_cut_envelope_is_malformed),
      cmocka_unit_test(a_length_beyond_the_end_is_malformed),
      cmocka_unit_test(what_a_later_version_says_is_unknown),
      cmocka_unit_test(a_later_kind_is_unknown),
      cmocka_unit_test(attachments_are_counted),
      cmocka_unit_test(random_bytes_do_no_harm),
      cmocka_unit_test(what_decodes_encodes_to_the_same),
      cmocka_unit_test(a_socket_names_its_node),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
