// The packets of the room application that do not come from a client.
//
// Thread: any; functions without state.
#pragma once

#include <string>
#include <string_view>

namespace signalbox::signaling {

// A text as JSON.
std::string json_string(std::string_view text);

// Each appends a member to an object that is not closed yet: of JSON text, and of text that becomes
// a string. `name` is one of ours, with nothing to escape.
void append_member(std::string& out, std::string_view name, std::string_view json);
void append_text_member(std::string& out, std::string_view name, std::string_view text);

// An event whose argument is an object of one member, of which `json` is the value.
std::string single_member_event(std::string_view event, std::string_view name,
                                std::string_view json);

std::string ready_packet(std::string_view socket);
std::string peer_disconnected_packet(std::string_view socket);

}  // namespace signalbox::signaling
