// Engine.IO 4 packets and the payloads of several that polling carries.
// https://github.com/socketio/engine.io-protocol (revision 4)
//
// Thread: functions without state.
// Owner: a decoded packet points into the text it was decoded from, or into `storage`.
//
//   packet  = type data              over WebSocket text, and in payloads
//   binary  = bytes                  over a WebSocket binary message
//           | "b" base64             in payloads
//   payload = packet *( RS packet )  RS = %x1E
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::engineio {

enum class PacketType : char {
  kOpen = '0',
  kClose = '1',
  kPing = '2',
  kPong = '3',
  kMessage = '4',
  kUpgrade = '5',
  kNoop = '6',
};

inline constexpr char kRecordSeparator = '\x1e';

struct Packet {
  PacketType type = PacketType::kNoop;
  bool binary = false;  // only of kMessage
  std::string_view data;
};

// Decodes one text packet as a WebSocket text message carries it. Nothing when it is empty or its
// type unknown.
std::optional<Packet> decode_packet(std::string_view text);

// Reads a payload packet by packet. Binary packets are decoded from base64.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  // The next packet, or nothing at the end or at an invalid packet: failed() tells which. The
  // packet's data is valid until the next call.
  std::optional<Packet> next();
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  std::string storage_;
  bool done_ = false;
  bool failed_ = false;
};

// Appends a packet to a payload, with the separator when one is needed; binary data as base64.
void append_to_payload(std::string& payload, PacketType type, bool binary, std::string_view data);

}  // namespace signalbox::engineio
