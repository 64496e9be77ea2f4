#include "engine/store/keys.h"

namespace signalbox::store {
namespace {

constexpr std::string_view kSocketsSuffix = ":sockets";

std::string join(std::string_view prefix, std::string_view name) {
  std::string key(prefix);
  key += name;
  return key;
}

}  // namespace

// The room "a:sockets" would otherwise share its key with the members of the room "a", and could
// make that room unusable. A room's key never ends in the suffix, a member set's always does. The
// space, and the second one for names that end in one, keeps names apart; no valid room id has any.
std::string room_key(std::string_view room) {
  std::string key = join("room:", room);
  if (room.ends_with(kSocketsSuffix) || room.ends_with(' ')) key += ' ';
  return key;
}

std::string room_sockets_key(std::string_view room) {
  return room_key(room).append(kSocketsSuffix);
}

std::string socket_key(std::string_view socket) {
  return join("socket:", socket);
}

std::string limit_key(std::string_view what, std::string_view who) {
  return join("ratelimit:", what).append(1, ':').append(who);
}

std::string tagged_limit_key(std::string_view what, std::string_view who) {
  return limit_key(what, join("{", who).append(1, '}'));
}

std::string referrers_key(std::string_view day) {
  return join("referrers:daily:", day);
}

std::string nodes_key() {
  return "signalbox:{nodes}";
}

std::string node_key(std::string_view node) {
  return join("signalbox:{nodes}:", node);
}

std::string node_sockets_key(std::string_view node) {
  return join("signalbox:node:{", node).append("}:sockets");
}

std::string node_left_key(std::string_view node) {
  return join("signalbox:node:{", node).append("}:left");
}

std::string node_fence_key(std::string_view node) {
  return join("signalbox:node:{", node).append("}");
}

// Within the braces there must not be another one: it would end the part that decides the slot, and
// right behind the first there would be no such part at all.
std::string tagged_room_key(std::string_view room) {
  std::string key = "room:{";
  for (const char c : room) {
    if (c == '}' || c == '%') {
      key += c == '}' ? "%7D" : "%25";
    } else {
      key += c;
    }
  }
  return key += '}';
}

std::string tagged_room_sockets_key(std::string_view room) {
  return tagged_room_key(room).append(kSocketsSuffix);
}

std::string tagged_room_nodes_key(std::string_view room) {
  return tagged_room_key(room).append(":nodes");
}

std::string node_channel(std::string_view node) {
  return join("signalbox:node:", node);
}

// The length tells where the namespace ends: both may have any character.
std::string room_channel(std::string_view nsp, std::string_view room) {
  return join("signalbox:room:", std::to_string(nsp.size()))
      .append(1, ':')
      .append(nsp)
      .append(room);
}

std::string namespace_channel(std::string_view nsp) {
  return join("signalbox:namespace:", nsp);
}

}  // namespace signalbox::store
