#include "engine/signaling/application.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/signaling/room_id.h"
#include "engine/signaling/room_packets.h"
#include "engine/signaling/time_text.h"
#include "engine/socketio/event_text.h"

namespace signalbox::signaling {
namespace {

using socketio::EventText;
using socketio::Socket;

}  // namespace

struct Application::Call {
  Socket& socket;
  std::string_view event;
  const json::ScannedObject& argument;
  std::span<const std::string> attachments;
};

Application::Application(Log& log, Counters& counters, Members& members, Joins& joins,
                         Neighbours& neighbours, const RoomHooks& hooks, const Tokens& tokens)
    : log_(log),
      counters_(counters),
      members_(members),
      joins_(joins),
      neighbours_(neighbours),
      hooks_(hooks),
      tokens_(tokens) {}

std::optional<std::string> Application::objection(socketio::Connecting& connecting) {
  auto self = std::make_unique<Member>();
  std::array<json::Member, 1> found = {{{"token", {}}}};
  if (tokens_.required() && json::scan_object(connecting.auth(), found) &&
      found[0].value.present()) {
    std::string token;
    std::string error(Tokens::kInvalid);
    Claims claims;
    if (json::decode_string(found[0].value.text, token)) {
      error = tokens_.read(token, system_now_s(), claims);
    }
    if (!error.empty()) {
      ++counters_.tokens_refused;
      return error;
    }
    self->claims = std::move(claims);
  }
  connecting.set_data(std::move(self));
  return std::nullopt;
}

void Application::on_connect(Socket& socket) {
  if (socket.data() == nullptr) socket.set_data(std::make_unique<Member>());
}

Application::Handler Application::find_handler(std::string_view name) {
  struct Row {
    std::string_view name;
    Handler handler;
  };
  static constexpr std::array<Row, 6> kRows = {{
      {"ice-candidate", &Application::on_candidate},  // the most frequent first
      {"offer", &Application::on_offer},
      {"answer", &Application::on_answer},
      {"join", &Application::on_join},
      {"initiator-online", &Application::on_initiator_online},
      {"recipient-ready", &Application::on_recipient_ready},
  }};
  for (const Row& row : kRows) {
    if (row.name == name) return row.handler;
  }
  return nullptr;
}

bool Application::on_event(Socket& socket, const socketio::Event& event,
                           std::span<const std::string> attachments,
                           std::optional<uint64_t> /*ack*/) {
  const Handler handler = find_handler(event.name);
  if (handler == nullptr) return false;
  const Call call = {socket, event.name, event.argument, attachments};
  if (event.argument.text.empty()) {
    drop_invalid(call);
  } else {
    (this->*handler)(call);
  }
  return true;
}

// Whoever wonders why a message did not arrive finds it in the log at level debug.
void Application::drop(Counter& counter, std::string_view cause, const Call& call) {
  ++counter;
  log_.debug("event dropped", {{"event", call.event},
                               {"cause", cause},
                               {"socket", call.socket.id()},
                               {"room", member(call.socket).room}});
}

void Application::drop_invalid(const Call& call) {
  drop(counters_.events_dropped_invalid, "its payload cannot be used", call);
}

void Application::drop_for_want_of_room(const Call& call) {
  drop(counters_.events_dropped_no_room, "its sender is in no room", call);
}

void Application::drop_as_stranger(const Call& call) {
  drop(counters_.events_dropped_stranger, "its receiver is not in the sender's room", call);
}

void Application::relay(const Call& call, std::string_view payload) {
  const Histogram::Clock::time_point came = Histogram::Clock::now();
  std::array<json::Member, 3> found = {{{"peerId", {}}, {"from", {}}, {payload, {}}}};
  const auto& [peer_id, from, opaque] = found;
  json::find_members(call.argument, found);
  std::string peer_name;
  if (!json::decode_string(peer_id.value.text, peer_name)) {
    drop_invalid(call);
    return;
  }
  const std::string& room = member(call.socket).room;
  if (room.empty()) {
    drop_for_want_of_room(call);
    return;
  }
  Socket* peer = members_.nsp().find(peer_name);
  const bool reachable = peer != nullptr ? peer != &call.socket && member(*peer).room == room
                                         : members_.elsewhere().knows(room, peer_name);
  if (!reachable) {
    drop_as_stranger(call);
    return;
  }
  // An "ice-candidate" event carries a "candidate"; the others are named for what they carry.
  const std::string_view event = payload == "candidate" ? "ice-candidate" : payload;
  EventText text("/", event, call.attachments.size(),
                 opaque.value.text.size() + from.value.text.size() + 64);
  std::string& out = text.arguments();
  const size_t begin = out.size();
  out += '{';
  if (opaque.value.present()) append_member(out, payload, opaque.value.text);
  if (from.value.present()) append_member(out, "from", from.value.text);
  append_text_member(out, "peerId", call.socket.id());
  out += '}';
  // An attachment that belonged to a member that we do not pass on would confuse the receiver.
  if (!call.attachments.empty() &&
      !socketio::placeholders_valid(std::string_view(out).substr(begin), call.attachments.size())) {
    drop_invalid(call);
    return;
  }
  ++counters_.relays;
  if (peer != nullptr) {
    peer->deliver(text.finish(), call.attachments);
  } else {
    neighbours_.relay(call.socket, peer_name, text.finish(), call.attachments);
  }
  counters_.relay_duration.add_since(came);
}

bool Application::names_own_room(const Call& call, const json::Value& room) {
  std::string name;
  if (!json::decode_string(room.text, name)) {
    drop_invalid(call);
    return false;
  }
  const std::string& own = member(call.socket).room;
  if (own == name && !own.empty()) return true;
  own.empty() ? drop_for_want_of_room(call) : drop_as_stranger(call);
  return false;
}

void Application::on_initiator_online(const Call& call) {
  std::array<json::Member, 1> found = {{{"roomId", {}}}};
  json::find_members(call.argument, found);
  if (!names_own_room(call, found[0].value)) return;
  const std::string& room = member(call.socket).room;
  broadcast(room, single_member_event("initiator-online", "roomId", json_string(room)),
            call.socket.id());
}

void Application::on_recipient_ready(const Call& call) {
  std::array<json::Member, 2> found = {{{"roomId", {}}, {"peerId", {}}}};
  const auto& [room_id, peer_id] = found;
  json::find_members(call.argument, found);
  if (peer_id.value.type != json::Type::kString) {
    drop_invalid(call);
    return;
  }
  if (!names_own_room(call, room_id.value)) return;
  broadcast(member(call.socket).room,
            single_member_event("recipient-ready", "peerId", peer_id.value.text), call.socket.id());
}

void Application::on_join(const Call& call) {
  std::array<json::Member, 2> found = {{{"roomId", {}}, {"secret", {}}}};
  json::find_members(call.argument, found);
  if (!found[0].value.present()) {
    drop_invalid(call);
    return;
  }
  std::string room;
  if (!json::decode_string(found[0].value.text, room) || !room_id_valid(room)) {
    drop_invalid(call);
    joins_.refuse(call.socket, {}, std::string(kRoomIdRule));
    return;
  }
  const json::Value& given = found[1].value;
  std::string secret;
  if (given.present() && (!json::decode_string(given.text, secret) || !room_secret_valid(secret))) {
    drop_invalid(call);
    joins_.refuse(call.socket, room, std::string(kSecretRule));
    return;
  }
  if (std::string why = tokens_.check(member(call.socket).claims, room, system_now_s());
      !why.empty()) {
    ++counters_.tokens_refused;
    joins_.refuse(call.socket, room, why);
    return;
  }
  joins_.request(call.socket, std::move(room), std::move(secret));
}

void Application::on_disconnect(Socket& socket, std::string_view /*reason*/) {
  // First what needs no memory: nobody may keep the socket.
  const std::string room = members_.unbind(socket);
  try {
    joins_.cancel(socket, room);
    if (room.empty()) return;
    members_.send_disconnected(room, socket.id());
    joins_.leave(room, socket.id());  // which tells the other nodes
  } catch (...) {
    neighbours_.check();  // finds what is left in Redis
    throw;
  }
  if (hooks_.left) hooks_.left(room, socket.id());
}

void Application::on_evicted(const std::string& room, const std::string& socket_id) {
  Socket* socket = members_.nsp().find(socket_id);
  // Gone before: everyone has been told. Of another node: the bus tells.
  if (socket == nullptr || member(*socket).room != room) return;
  members_.send_disconnected(room, socket_id);
  if (members_.nsp().find(socket_id) != socket) return;  // it read too slowly, and has been ended
  members_.unbind(*socket);
  if (hooks_.left) hooks_.left(room, socket_id);
}

void Application::broadcast(const std::string& room, std::string_view packet,
                            std::string_view except, std::span<const std::string> attachments) {
  members_.send(room, packet, except.empty() ? nullptr : members_.nsp().find(except), attachments);
  neighbours_.send_to_room(room, packet, except, attachments);
}

}  // namespace signalbox::signaling
