// Engine.IO 4 and Socket.IO 5 as text: what a client writes, and just enough reading for what a
// server answers. Nothing is turned into a tree; text without escapes is taken as it stands.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bench {

constexpr std::string_view kWebSocketPath = "/socket.io/?EIO=4&transport=websocket";
constexpr std::string_view kPollingPath = "/socket.io/?EIO=4&transport=polling";
constexpr char kSeparator = '\x1e';  // between the packets of a payload of polling

// 42["name",payload]
std::string event_packet(std::string_view name, std::string_view payload);

struct Event {
  std::string_view name;
  std::string_view payload;  // the first argument's text
};

// Of a packet that begins with 42.
std::optional<Event> parse_event(std::string_view packet);

// The text of the value of a member of `object`, which is the text of an object; empty if it has
// none.
std::string_view member(std::string_view object, std::string_view name);
// The same without its quotes.
std::string_view text_member(std::string_view object, std::string_view name);

}  // namespace bench
