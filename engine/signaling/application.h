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
#include "engine/core/options.h"
#include "engine/signaling/members.h"
#include "engine/signaling/room_hooks.h"
#include "engine/socketio/namespace.h"
#include "engine/store/rooms.h"

namespace signalbox::signaling {

class Application : public socketio::NamespaceHandler {
 public:
  // Keeps references to all of them.
  Application(const Options& options, Counters& counters, store::Rooms& rooms,
              const RoomHooks& hooks);

  // The namespace that it serves; before the first event.
  void set_namespace(socketio::Namespace& nsp) { nsp_ = &nsp; }

  void on_connect(socketio::Socket& socket) override;
  bool on_event(socketio::Socket& socket, const socketio::Event& event,
                std::span<const std::string> attachments, std::optional<uint64_t> ack) override;
  void on_disconnect(socketio::Socket& socket, std::string_view reason) override;

  // Whether an event of that name is one of the application's.
  static bool has_event(std::string_view name) { return find_handler(name) != nullptr; }

  // Sends a packet to the sockets of a room, but for `except` (null: but for none).
  void broadcast(const std::string& room, std::string_view packet, const socketio::Socket* except,
                 std::span<const std::string> attachments = {});

  // A socket has been taken out of its room over HTTP: everyone in the room, itself too, is told.
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
  // Begins with the first join that waits: asks the host, then Redis.
  void start_join(socketio::Socket& socket);
  void request_join(socketio::Socket& socket);
  void finish_join(const std::string& socket_id, const std::string& room,
                   const store::JoinReply& reply);
  // `again`: not the first answer to this reply.
  void answer_join(socketio::Socket& socket, const std::string& room, const store::JoinReply& reply,
                   bool again);
  void accept_join(socketio::Socket& socket, const std::string& room, bool rejoined);
  void refuse_join(socketio::Socket& socket, const std::string& room, const std::string& message);
  void fail_join(socketio::Socket& socket, const std::string& room, const std::string& error);
  void leave(const std::string& room, const std::string& socket_id);
  // Whether `roomId` of an event names the sender's own room; counts why not.
  bool names_own_room(const Call& call, const json::Value& room);
  void drop_invalid() { ++counters_.events_dropped_invalid; }

  const Options& options_;
  Counters& counters_;
  store::Rooms& rooms_;
  const RoomHooks& hooks_;
  socketio::Namespace* nsp_ = nullptr;
  Members members_;
};

}  // namespace signalbox::signaling
