#include "engine/signaling/application.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/signaling/room_id.h"
#include "engine/socketio/event_text.h"

namespace signalbox::signaling {
namespace {

using socketio::EventText;
using socketio::Socket;

// Joins of one socket that may wait for one under way; a client that sends more at once is no
// client.
constexpr size_t kMaxWaitingJoins = 16;

constexpr const char* kBoundElsewhere = "Socket is already bound to another room";

void append_member(std::string& out, std::string_view name, std::string_view json) {
  if (out.back() != '{') out += ',';
  json::append_string(out, name);
  out += ':';
  out += json;
}

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

PendingJoin take_join(Member& member) {
  PendingJoin join = std::move(member.joins.front());
  member.joins.erase(member.joins.begin());
  return join;
}

// An event whose argument is an object of one member.
std::string single_member_event(std::string_view event, std::string_view name,
                                std::string_view json) {
  EventText text("/", event, 0, json.size() + 32);
  text.arguments() += '{';
  append_member(text.arguments(), name, json);
  text.arguments() += '}';
  return text.finish();
}

}  // namespace

struct Application::Call {
  Socket& socket;
  std::string_view argument;  // the first, an object; empty when there was none
  std::span<const std::string> attachments;
};

Application::Application(const Options& options, Counters& counters, store::Rooms& rooms,
                         const RoomHooks& hooks)
    : options_(options), counters_(counters), rooms_(rooms), hooks_(hooks) {}

void Application::on_connect(Socket& socket) {
  socket.set_data(std::make_unique<Member>());
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
  size_t end = 0;
  const json::Value argument = json::scan_value(event.arguments, &end);
  if (argument.type != json::Type::kObject) {
    drop_invalid();
  } else {
    (this->*handler)({socket, argument.text, attachments});
  }
  return true;
}

void Application::relay(const Call& call, std::string_view payload) {
  std::array<json::Member, 3> found = {{{"peerId", {}}, {"from", {}}, {payload, {}}}};
  const auto& [peer_id, from, opaque] = found;
  std::string peer_name;
  if (!json::scan_object(call.argument, found) ||
      !json::decode_string(peer_id.value.text, peer_name)) {
    drop_invalid();
    return;
  }
  const std::string& room = member(call.socket).room;
  if (room.empty()) {
    ++counters_.events_dropped_no_room;
    return;
  }
  Socket* peer = nsp_->find(peer_name);
  if (peer == nullptr || peer == &call.socket || member(*peer).room != room) {
    ++counters_.events_dropped_stranger;
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
  append_member(out, "peerId", quoted(call.socket.id()));
  out += '}';
  // An attachment that belonged to a member that we do not pass on would confuse the receiver.
  if (!call.attachments.empty() &&
      !socketio::placeholders_valid(std::string_view(out).substr(begin), call.attachments.size())) {
    drop_invalid();
    return;
  }
  ++counters_.relays;
  peer->send(text.finish(), call.attachments);
}

bool Application::names_own_room(const Call& call, const json::Value& room) {
  std::string name;
  if (!json::decode_string(room.text, name)) {
    drop_invalid();
    return false;
  }
  const std::string& own = member(call.socket).room;
  if (own == name && !own.empty()) return true;
  ++(own.empty() ? counters_.events_dropped_no_room : counters_.events_dropped_stranger);
  return false;
}

void Application::on_initiator_online(const Call& call) {
  std::array<json::Member, 1> found = {{{"roomId", {}}}};
  if (!json::scan_object(call.argument, found) || !names_own_room(call, found[0].value)) return;
  const std::string& room = member(call.socket).room;
  broadcast(room, single_member_event("initiator-online", "roomId", quoted(room)), &call.socket);
}

void Application::on_recipient_ready(const Call& call) {
  std::array<json::Member, 2> found = {{{"roomId", {}}, {"peerId", {}}}};
  const auto& [room_id, peer_id] = found;
  if (!json::scan_object(call.argument, found) || peer_id.value.type != json::Type::kString) {
    drop_invalid();
    return;
  }
  if (!names_own_room(call, room_id.value)) return;
  broadcast(member(call.socket).room,
            single_member_event("recipient-ready", "peerId", peer_id.value.text), &call.socket);
}

void Application::on_join(const Call& call) {
  std::array<json::Member, 1> found = {{{"roomId", {}}}};
  if (!json::scan_object(call.argument, found) || !found[0].value.present()) {
    drop_invalid();
    return;
  }
  std::string room;
  if (!json::decode_string(found[0].value.text, room) || !room_id_valid(room)) {
    drop_invalid();
    refuse_join(call.socket, {}, std::string(kRoomIdRule));
    return;
  }
  Member& self = member(call.socket);
  if (!self.joins.empty() && self.joins.back().room == room) {
    ++self.joins.back().times;
    return;
  }
  if (self.joins.size() > kMaxWaitingJoins) {
    refuse_join(call.socket, room, "Too many joins at once");
    return;
  }
  self.joins.push_back({std::move(room)});
  if (self.joins.size() == 1) start_join(call.socket);
}

void Application::start_join(Socket& socket) {
  Member& self = member(socket);
  while (!self.joins.empty() && !self.room.empty() && self.joins.front().room != self.room) {
    const PendingJoin join = take_join(self);
    for (size_t i = 0; i < join.times; ++i) refuse_join(socket, join.room, kBoundElsewhere);
  }
  if (self.joins.empty()) return;
  // Who is in the room already has been let in.
  if (!hooks_.joining || !self.room.empty()) {
    request_join(socket);
    return;
  }
  const auto decide = [this, &socket](const Verdict& refusal) {
    member(socket).question = 0;
    if (!refusal) {
      request_join(socket);
      return;
    }
    const PendingJoin join = take_join(member(socket));
    for (size_t i = 0; i < join.times; ++i) refuse_join(socket, join.room, *refusal);
    if (nsp_->find(socket.id()) == &socket) start_join(socket);
  };
  // Withdrawn when the socket goes.
  self.question = hooks_.joining(self.joins.front().room, socket, decide);
}

void Application::request_join(Socket& socket) {
  const Member& self = member(socket);
  store::JoinRequest request;
  request.room = self.joins.front().room;
  request.socket = socket.id();
  if (options_.limits_join_enabled) request.limit_key = socket.address().limit_key();
  rooms_.join(request, [this, id = request.socket, room = request.room](
                           const store::JoinReply& reply) { finish_join(id, room, reply); });
}

void Application::finish_join(const std::string& socket_id, const std::string& room,
                              const store::JoinReply& reply) {
  Socket* socket = nsp_->find(socket_id);
  if (socket == nullptr) {
    // It has gone meanwhile. on_disconnect() has undone the join, unless the script had to be sent
    // again, because Redis did not know it, and so came behind that.
    if (reply.result == store::JoinReply::Result::kJoined) leave(room, socket_id);
    return;
  }
  const PendingJoin join = take_join(member(*socket));
  for (size_t i = 0; i < join.times && nsp_->find(socket_id) != nullptr; ++i) {
    answer_join(*socket, room, reply, i > 0);
  }
  // What we just sent may have ended a client that reads too slowly.
  if (nsp_->find(socket_id) != nullptr) start_join(*socket);
}

void Application::answer_join(Socket& socket, const std::string& room,
                              const store::JoinReply& reply, bool again) {
  using Result = store::JoinReply::Result;
  switch (reply.result) {
    case Result::kJoined:
      accept_join(socket, room, reply.rejoined || again);
      return;
    case Result::kBoundElsewhere:
      refuse_join(socket, room, kBoundElsewhere);
      return;
    case Result::kLimited:
      refuse_join(socket, room,
                  "Rate limit exceeded. Try again in " + std::to_string(reply.retry_after_s) +
                      "s. Attempts left: " + std::to_string(reply.attempts_left) + ".");
      return;
    case Result::kRoomAbsent:
      refuse_join(socket, room, "Room does not exist");
      return;
    case Result::kRoomFull:
      refuse_join(socket, room, "Room is full");
      return;
    case Result::kUnavailable:
      fail_join(socket, room, reply.error);
      return;
  }
}

void Application::accept_join(Socket& socket, const std::string& room, bool rejoined) {
  Member& self = member(socket);
  self.doubtful.clear();
  members_.bind(socket, room);
  ++counters_.joins;
  EventText text("/", "joinResponse");
  text.arguments() +=
      R"({"success":true,"message":"Successfully joined room","roomId":)" + quoted(room) + '}';
  socket.send(text.finish());
  if (nsp_->find(socket.id()) == nullptr) return;  // it read too slowly, and has just been ended
  broadcast(room, single_member_event("ready", "peerId", quoted(socket.id())), &socket);
  if (hooks_.joined && !rejoined) hooks_.joined(room, socket.id());
}

void Application::fail_join(Socket& socket, const std::string& room, const std::string& error) {
  ++counters_.redis_unavailable;
  ++counters_.joins_refused;
  member(socket).doubtful = room;
  EventText text("/", "joinResponse");
  text.arguments() += R"({"success":false,"message":"Server error while joining room","error":)" +
                      quoted(error) + '}';
  socket.send(text.finish());
  if (hooks_.refused) hooks_.refused(room, socket.id(), error);
}

void Application::refuse_join(Socket& socket, const std::string& room, const std::string& message) {
  ++counters_.joins_refused;
  EventText text("/", "joinResponse");
  std::string& out = text.arguments();
  out += R"({"success":false,"message":)";
  json::append_string(out, message);
  if (!room.empty()) append_member(out, "roomId", quoted(room));
  out += '}';
  socket.send(text.finish());
  if (hooks_.refused) hooks_.refused(room, socket.id(), message);
}

void Application::on_disconnect(Socket& socket, std::string_view /*reason*/) {
  Member& self = member(socket);
  const std::string room = self.room;
  if (self.question != 0) {
    hooks_.withdraw(self.question);
    self.joins.clear();  // none of them has got as far as Redis
  }
  if (!room.empty()) {
    members_.unbind(socket);
    broadcast(room, single_member_event("peer-disconnected", "peerId", quoted(socket.id())),
              nullptr);
    leave(room, socket.id());
    if (hooks_.left) hooks_.left(room, socket.id());
  }
  // A join under way is ahead of this in the pipeline to Redis, so that it is undone in any case.
  if (!self.joins.empty() && self.joins.front().room != room) {
    leave(self.joins.front().room, socket.id());
  }
  if (!self.doubtful.empty() && self.doubtful != room) leave(self.doubtful, socket.id());
}

void Application::on_evicted(const std::string& room, const std::string& socket_id) {
  broadcast(room, single_member_event("peer-disconnected", "peerId", quoted(socket_id)), nullptr);
  if (Socket* socket = nsp_->find(socket_id); socket != nullptr && member(*socket).room == room) {
    members_.unbind(*socket);
  }
  if (hooks_.left) hooks_.left(room, socket_id);
}

void Application::leave(const std::string& room, const std::string& socket_id) {
  rooms_.leave(room, socket_id, [this](const store::LeaveReply& reply) {
    if (reply.result == store::LeaveReply::Result::kUnavailable) ++counters_.redis_unavailable;
  });
}

void Application::broadcast(const std::string& room, std::string_view packet, const Socket* except,
                            std::span<const std::string> attachments) {
  nsp_->send_to(members_.in(room), except, packet, attachments);
}

}  // namespace signalbox::signaling
