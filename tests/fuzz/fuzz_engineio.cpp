// A payload of Engine.IO packets, and each of them by itself: what is decoded, encodes again to the
// same, but for base64 that was not written in the canonical way.
#include <string>

#include "engine/engineio/packet.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox::engineio;

namespace {

// How a text packet of type message, but with bytes that base64 carries, was written is not all
// told by what it decodes to: the padding may be absent, and bits behind the last byte be set.
void check_base64(std::string_view given, std::string_view ours) {
  if (given == ours) return;
  while (given.ends_with('=')) given.remove_suffix(1);
  while (ours.ends_with('=')) ours.remove_suffix(1);
  CHECK(given.size() == ours.size());
  CHECK(given.substr(0, given.size() - 1) == ours.substr(0, ours.size() - 1));
}

void check_packet(std::string_view text, const Packet& packet) {
  std::string encoded;
  append_to_payload(encoded, packet.type, packet.binary, packet.data);
  if (packet.binary) {
    CHECK(packet.type == PacketType::kMessage);
    CHECK(text.starts_with('b'));
    check_base64(text, encoded);
  } else {
    CHECK(encoded == text);
    const auto again = decode_packet(text);
    CHECK(again && again->type == packet.type && again->data == packet.data);
  }
  PayloadReader reader(encoded);
  const auto decoded = reader.next();
  CHECK(decoded && decoded->type == packet.type && decoded->binary == packet.binary);
  CHECK(decoded->data == packet.data);
  CHECK(!reader.next() && !reader.failed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view payload = fuzz::text_of(data, size);
  std::string_view rest = payload;
  std::string encoded;
  bool canonical = true;
  PayloadReader reader(payload);
  while (const auto packet = reader.next()) {
    const std::string_view text = fuzz::take_until(rest, kRecordSeparator);
    check_packet(text, *packet);
    if (packet->binary) canonical = false;
    append_to_payload(encoded, packet->type, packet->binary, packet->data);
  }
  CHECK(!reader.next());  // the end stays the end
  if (canonical && !reader.failed()) CHECK(encoded == payload);

  const auto single = decode_packet(payload);
  CHECK(single.has_value() == (size > 0 && data[0] >= '0' && data[0] <= '6'));
  if (single) CHECK(single->data == payload.substr(1) && !single->binary);
  return 0;
}
