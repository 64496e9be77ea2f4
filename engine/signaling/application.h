// The room application: what the events of the main namespace do. Clients join rooms and pass
// offers, answers and candidates to each other; everything passes only between sockets of one room.
//
// Thread: the loop's.
// Owner: the engine; it must outlive the socketio::Server that calls it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/json.h"
#include "engine/core/log.h"
#include "engine/signaling/joins.h"
#include "engine/signaling/members.h"
#include "engine/signaling/neighbours.h"
#include "engine/signaling/room_hooks.h"
#include "engine/signaling/tokens.h"
#include "engine/socketio/namespace.h"

namespace signalbox::signaling {

class Application : public socketio::NamespaceHandler {
 public:
  // Keeps references to all of them.
  Application(Log& log, Counters& counters, Members& members, Joins& joins, Neighbours& neighbours,
              const RoomHooks& hooks, const Tokens& tokens);

  // A token that is not valid.
  std::optional<std::string> objection(socketio::Connecting& connecting) override;
  void on_connect(socketio::Socket& socket) override;
  bool on_event(socketio::Socket& socket, const socketio::Event& event,
                std::span<const std::string> attachments, std::optional<uint64_t> ack) override;
  void on_disconnect(socketio::Socket& socket, std::string_view reason) override;
  // Joins.
  bool busy(const socketio::Socket& socket) const override { return !member(socket).joins.empty(); }

  // Whether an event of that name is one of the application's.
  static bool has_event(std::string_view name) { return find_handler(name) != nullptr; }

  // Sends a packet to the sockets of a room, wherever they are; `except`: a socket's id or empty.
  void broadcast(const std::string& room, std::string_view packet, std::string_view except,
                 std::span<const std::string> attachments = {});

  // A socket of this node has been taken out of its room, by this node or another one: everyone in
  // the room who is connected here, the socket too, is told. Others: nothing happens.
  void on_evicted(const std::string& room, const std::string& socket_id);

 private:
  struct Call;  // one event with all that belongs to it
  using Handler = void (Application::*)(const Call& call);
  static Handler find_handler(std::string_view name);

  void on_join(const Call& call);
  void on_offer(const Call& call) { relay(call, "offer"); }
  void on_answer(const Call& call) { relay(call, "answer"); }
  void on_candidate(const Call& call) { relay(call, "candidate"); }
  void on_initiator_online(const Call& call);
  void on_recipient_ready(const Call& call);

  void relay(const Call& call, std::string_view payload);
  // Whether `roomId` of an event names the sender's own room; counts why not.
  bool names_own_room(const Call& call, const json::Value& room);
  void drop(Counter& counter, std::string_view cause, const Call& call);
  void drop_invalid(const Call& call);
  void drop_for_want_of_room(const Call& call);
  void drop_as_stranger(const Call& call);

  Log& log_;
  Counters& counters_;
  Members& members_;
  Joins& joins_;
  Neighbours& neighbours_;
  const RoomHooks& hooks_;
  const Tokens& tokens_;
};

}  // namespace signalbox::signaling
