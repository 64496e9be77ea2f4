#include "engine/engineio/packet.h"

#include "engine/core/base64.h"

namespace signalbox::engineio {

std::optional<Packet> decode_packet(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '6') return std::nullopt;
  return Packet{static_cast<PacketType>(text[0]), false, text.substr(1)};
}

std::optional<Packet> PayloadReader::next() {
  if (done_) return std::nullopt;
  const size_t separator = rest_.find(kRecordSeparator);
  const std::string_view text = rest_.substr(0, separator);
  if (separator == std::string_view::npos) {
    done_ = true;
  } else {
    rest_.remove_prefix(separator + 1);
  }

  std::optional<Packet> packet;
  if (text.starts_with('b')) {
    if (decode_base64(text.substr(1), storage_)) {
      packet = Packet{PacketType::kMessage, true, storage_};
    }
  } else {
    packet = decode_packet(text);
  }
  if (!packet) done_ = failed_ = true;
  return packet;
}

void append_to_payload(std::string& payload, PacketType type, bool binary, std::string_view data) {
  if (!payload.empty()) payload += kRecordSeparator;
  if (binary) {
    payload += 'b';
    append_base64(payload, data);
  } else {
    payload += static_cast<char>(type);
    payload += data;
  }
}

}  // namespace signalbox::engineio
