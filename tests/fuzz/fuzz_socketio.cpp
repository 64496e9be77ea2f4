// One Socket.IO packet: what is decoded, encodes again to a packet of the same meaning; and what
// the functions say that look into its payload.
#include <string>

#include "engine/socketio/packet.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox::socketio;
namespace json = signalbox::json;

namespace {

constexpr size_t kMaxAttachments = 10;

bool is_binary(PacketType type) {
  return type == PacketType::kBinaryEvent || type == PacketType::kBinaryAck;
}

void check_again(const Packet& packet) {
  const std::string text =
      encode_packet(packet.type, packet.nsp, packet.id, packet.payload.text, packet.attachments);
  const auto again = decode_packet(text, kMaxAttachments);
  CHECK(again.has_value());
  CHECK(again->type == packet.type && again->attachments == packet.attachments);
  CHECK(again->nsp == packet.nsp && again->id == packet.id);
  CHECK(again->payload.type == packet.payload.type && again->payload.text == packet.payload.text);
}

void check_event(const Packet& packet) {
  const auto& event = packet.event;
  if (!event) return;  // there is no payload, or its name is no Unicode
  CHECK(!reserved_event(event->name) || packet.payload.text.find('"') == std::string_view::npos);
  // The arguments are what stands behind the name: a valid array once they have brackets.
  const std::string array = "[" + std::string(event->arguments) + "]";
  const auto all = json::scan_array(packet.payload.text, {});
  const auto arguments = json::scan_array(array, {});
  CHECK(all && arguments && *all == *arguments + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto packet = decode_packet(text, kMaxAttachments);
  if (!packet) return 0;
  CHECK(is_binary(packet->type) == (packet->attachments != 0));
  CHECK(packet->attachments <= kMaxAttachments);
  CHECK(packet->nsp.starts_with('/') && packet->nsp.find_first_of(",?") == std::string_view::npos);
  if (packet->id) CHECK(*packet->id < uint64_t{1} << 53);
  if (packet->payload.present()) {
    CHECK(json::scan_document(packet->payload.text).type == packet->payload.type);
  }
  check_again(*packet);
  check_event(*packet);
  // Only one number of attachments can be right, since each must be meant and no other.
  size_t right = 0;
  for (size_t count = 0; packet->payload.present() && count <= kMaxAttachments; ++count) {
    right += placeholders_valid(packet->payload.text, count) ? 1 : 0;
  }
  CHECK(right <= 1);
  return 0;
}
