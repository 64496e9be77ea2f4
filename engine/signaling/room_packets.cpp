#include "engine/signaling/room_packets.h"

#include "engine/core/json.h"
#include "engine/socketio/event_text.h"

namespace signalbox::signaling {

std::string json_string(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

namespace {

void append_name(std::string& out, std::string_view name) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
}

}  // namespace

void append_member(std::string& out, std::string_view name, std::string_view json) {
  append_name(out, name);
  out += json;
}

void append_text_member(std::string& out, std::string_view name, std::string_view text) {
  append_name(out, name);
  json::append_string(out, text);
}

std::string single_member_event(std::string_view event, std::string_view name,
                                std::string_view json) {
  socketio::EventText text("/", event, 0, json.size() + 32);
  text.arguments() += '{';
  append_member(text.arguments(), name, json);
  text.arguments() += '}';
  return text.finish();
}

std::string ready_packet(std::string_view socket) {
  return single_member_event("ready", "peerId", json_string(socket));
}

std::string peer_disconnected_packet(std::string_view socket) {
  return single_member_event("peer-disconnected", "peerId", json_string(socket));
}

}  // namespace signalbox::signaling
