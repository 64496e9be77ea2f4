// Socket.IO 5 packets. https://github.com/socketio/socket.io-protocol (revision 5)
//
// Thread: functions without state.
// Owner: a decoded packet points into the text it was decoded from.
//
//   packet = type [ count "-" ] [ "/" name "," ] [ id ] [ json ]
//
// where count is the number of binary attachments that follow (only of binary packets), the
// namespace is left out for "/", and id asks for or answers an acknowledgement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/json.h"

namespace signalbox::socketio {

enum class PacketType : char {
  kConnect = '0',
  kDisconnect = '1',
  kEvent = '2',
  kAck = '3',
  kConnectError = '4',
  kBinaryEvent = '5',
  kBinaryAck = '6',
};

// An event, `["name",a,b]`.
struct Event {
  std::string name;            // unescaped; a number stands as it was sent
  std::string_view arguments;  // "a,b": the elements behind the name as JSON text, without brackets
  json::ScannedObject argument;  // the first of them, where that is an object
};

struct Packet {
  PacketType type = PacketType::kEvent;
  uint32_t attachments = 0;
  std::string_view nsp = "/";  // as sent, the query string ("?…") cut off
  std::optional<uint64_t> id;  // at most 2^53 - 1, as JavaScript counts
  json::Value payload;         // validated JSON; kNone when there was none
  // What the payload of an event says. Nothing when there is no payload, or the name is no Unicode
  // text (it holds a lone surrogate): no handler can be meant.
  std::optional<Event> event;
};

// Names that socket.io keeps for its own events; who could send them would forge these: connect,
// connect_error, disconnect, disconnecting, newListener, removeListener.
bool reserved_event(std::string_view name);

// Decodes and validates one packet as far as its type can be judged alone: an event's payload is an
// array whose first element is a string or number that is not a reserved name; an ack's is an
// array; a CONNECT's is an object; a DISCONNECT has none; a CONNECT_ERROR's is a string or an
// object; a binary packet announces 1 to `max_attachments` attachments and only a binary packet
// announces any. Nothing for everything else, as socket.io-parser 4.2.7 throws there. Like it, this
// lets the payload of any packet but a binary one be absent, and skips white space around the id.
std::optional<Packet> decode_packet(std::string_view text, size_t max_attachments);

// The text of a packet; `payload` is JSON text or empty. With attachments an event or an ack
// becomes a binary one.
std::string encode_packet(PacketType type, std::string_view nsp, std::optional<uint64_t> id,
                          std::string_view payload, size_t attachments = 0);

// Checks the placeholders `{"_placeholder":true,"num":n}` of a binary packet's validated payload,
// wherever they stand: true when every number below `attachments` is meant at least once and no
// other is. (A client that lies here would make the receiver's parser throw.)
bool placeholders_valid(std::string_view payload, size_t attachments);

}  // namespace signalbox::socketio
