// What a host sends, checked before it goes to the loop: an event or an acknowledgement with its
// arguments and attachments; and the names that it gives to things.
//
// Thread: functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/status.h"
#include "engine/net/http.h"

namespace signalbox::host {

// `payload` is the packet's: a JSON array with the placeholders of the attachments in it.
struct Message {
  std::string payload;
  std::vector<std::string> attachments;
};

// The message of an event, or of an acknowledgement. `arguments` is the text of a JSON array.
// kInvalid, naming what is wrong.
Status make_event(std::string_view name, std::string_view arguments,
                  std::vector<std::string> attachments, Message& message);
Status make_ack(std::string_view arguments, std::vector<std::string> attachments, Message& message);

// kInvalid unless this can be ...
Status check_namespace(std::string_view name);  // "/" or "/name"
Status check_event(std::string_view name);      // not one that Socket.IO reserves
Status check_room(std::string_view name);       // 1 to 256 bytes
Status check_prefix(std::string_view prefix);   // "/" or "/path"

// Adds a header to a response. kInvalid when the name is no token (RFC 9110, 5.6.2), the value has
// control characters, or the header is one that the server sets itself.
Status add_header(net::Response& response, std::string_view name, std::string_view value);

}  // namespace signalbox::host
