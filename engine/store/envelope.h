// What one node says to another, and its form on the wire: compact, versioned, bounded.
//
//   version 1 | kind 1 | sender 4 | route 4 | sequence 8 | fields | stamp 8
//
// Numbers are big-endian. The fields follow in the order of Envelope, each a length (4 bytes) and
// its bytes; attachments are the fields that are left. The stamp is last so that a script in Redis
// can put it there.
//
// Thread: any; no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::store {

inline constexpr size_t kNodeIdLength = 4;

// The node that a socket is connected to, as its id names it.
inline std::string_view node_of(std::string_view socket) {
  return socket.substr(0, kNodeIdLength);
}

// The values go over the wire.
enum class EnvelopeKind : uint8_t {
  kProbe = 1,  // of a node to itself: nothing
  kRelay = 2,  // scope (the sending socket), room, socket (the receiver), packet, attachments
  // scope (the socket that it comes from, or empty), room, socket (who is left out, or empty),
  // packet, attachments
  kRoomEvent = 3,
  kJoined = 4,    // room, socket: is in the room
  kRejoined = 5,  // room, socket: has joined the room that it was in
  kLeft = 6,      // room, socket: is not in the room any more
  kEvicted = 7,   // room, socket: was taken out of it, which its own node is told too
  kEmit = 8,      // socket (the receiver), packet, attachments
  kNamespaceEvent =
      9,  // scope (the namespace), room, socket (who is left out), packet, attachments
};

// A value that points to texts of others: valid as long as they are.
struct Envelope {
  EnvelopeKind kind = EnvelopeKind::kProbe;
  std::string_view sender;  // the node's id
  uint32_t route = 0;       // which of the sender's successive routes to this node
  uint64_t sequence = 0;    // of the message on that route, from 1; 0: in none
  std::string_view scope;
  std::string_view room;
  std::string_view socket;
  std::string_view packet;
  std::vector<std::string_view> attachments;
  // Of what a script tells (kJoined to kEvicted): when it was so, µs of Redis's clock. Of kRelay
  // and kRoomEvent that go past Redis: when the socket that sent it had joined; 0: none did.
  uint64_t stamp = 0;
};

std::string encode(const Envelope& envelope);
// All but the stamp.
std::string encode_unstamped(const Envelope& envelope);

enum class DecodeResult {
  kOk,
  kUnknown,    // of another version (then without a sender), or of a kind not listed here
  kMalformed,  // does not follow the form above
};

// `out` points into `bytes`.
DecodeResult decode(std::string_view bytes, Envelope& out);

}  // namespace signalbox::store
