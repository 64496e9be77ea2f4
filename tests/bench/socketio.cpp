#include "tests/bench/socketio.h"

#include <algorithm>

namespace bench {
namespace {

constexpr std::string_view kEvent = "42[";

// Behind the string that begins at `at`.
size_t behind_string(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    at = std::min(text.find('"', at), text.size());
    size_t slashes = 0;
    while (text[at - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) break;
  }
  return std::min(at + 1, text.size());
}

// Behind the value that begins at `at`.
size_t behind_value(std::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    switch (text[at]) {
      case '"':
        at = behind_string(text, at);
        break;
      case '{':
      case '[':
        ++depth;
        ++at;
        break;
      case '}':
      case ']':
        if (depth == 0) return at;
        --depth;
        ++at;
        break;
      case ',':
        if (depth == 0) return at;
        ++at;
        continue;
      default:
        ++at;
        continue;
    }
    if (depth == 0) return at;
  }
  return at;
}

}  // namespace

std::string event_packet(std::string_view name, std::string_view payload) {
  std::string packet;
  packet.reserve(kEvent.size() + name.size() + payload.size() + 4);
  packet.append(kEvent).append("\"").append(name).append("\",").append(payload).append("]");
  return packet;
}

std::optional<Event> parse_event(std::string_view packet) {
  if (!packet.starts_with(kEvent) || packet.size() < kEvent.size() + 2) return std::nullopt;
  const size_t end = behind_string(packet, kEvent.size());
  Event event;
  event.name = packet.substr(kEvent.size() + 1, end - kEvent.size() - 2);
  if (end < packet.size() && packet[end] == ',') {
    event.payload = packet.substr(end + 1, behind_value(packet, end + 1) - end - 1);
  }
  return event;
}

std::string_view member(std::string_view object, std::string_view name) {
  size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    const size_t key_end = behind_string(object, at);
    const std::string_view key = object.substr(at + 1, key_end - at - 2);
    const size_t end = behind_value(object, key_end + 1);
    if (key == name) return object.substr(key_end + 1, end - key_end - 1);
    at = end + 1;
  }
  return {};
}

std::string_view text_member(std::string_view object, std::string_view name) {
  const std::string_view value = member(object, name);
  return value.size() >= 2 && value.front() == '"' ? value.substr(1, value.size() - 2)
                                                   : std::string_view();
}

}  // namespace bench
