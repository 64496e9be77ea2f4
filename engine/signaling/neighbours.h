// What this node and the others say to each other about rooms: sends relays and events to members
// elsewhere, takes theirs, and keeps Members and Redis right after something was missed.
//
// Thread: the loop's.
// Owner: the Service.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/signaling/early_messages.h"
#include "engine/signaling/held_news.h"
#include "engine/signaling/members.h"
#include "engine/store/bus.h"
#include "engine/store/cleaner.h"
#include "engine/store/commands.h"
#include "engine/store/reconciler.h"
#include "engine/store/registry.h"
#include "engine/store/rooms.h"
#include "engine/store/siblings.h"

namespace signalbox::signaling {

class Neighbours : private store::Registry::Listener,
                   private store::Bus::Listener,
                   private store::Reconciler::Listener {
 public:
  // What the node hears about.
  struct Listener {
    // This node's id has changed; sockets that bear the old one can be reached by nobody.
    std::function<void(const std::string& id)> renamed;
    // A socket of this node has been taken out of its room by another node.
    std::function<void(const std::string& room, const std::string& socket)> evicted;
    // A message that is not about rooms of the room application.
    std::function<void(const store::Envelope& envelope)> other;
  };

  // Keeps references to all of them.
  Neighbours(Loop& loop, Log& log, const Options& options, Counters& counters,
             store::Commands& redis, std::shared_ptr<store::Siblings> siblings, Members& members);

  void set_listener(Listener listener) { listener_ = std::move(listener); }

  // Begins to connect to Redis and to register.
  void open();
  // Takes this node out of Redis, when its sockets are. Commands go out, nothing is listened to.
  void leave();
  void close() { bus_.close(); }
  // Something could not be done in Redis, or it is not known whether it was: looks soon.
  void check() { reconciler_.check(); }
  // Whether there are messages that others have yet to get.
  bool busy() const { return bus_.waiting() != 0; }

  const std::string& id() const { return registry_.id(); }
  store::Rooms& rooms() { return *rooms_; }
  store::Bus& bus() { return bus_; }
  HeldNews& held_news() { return held_news_; }

  // Passes an event of a socket on to one of another node, in the same room.
  void relay(const socketio::Socket& from, std::string_view to, std::string_view packet,
             std::span<const std::string> attachments);
  // Passes an event on to all sockets of a room that are connected to other nodes; `except`: a
  // socket's id or empty.
  void send_to_room(const std::string& room, std::string_view packet, std::string_view except,
                    std::span<const std::string> attachments = {});

  // Takes an answer of Redis: who was in a room at `stamp`. Those whom this node has not heard of
  // are news to its sockets there, but for `except`.
  void learn(const std::string& room, const std::vector<std::string>& members, uint64_t stamp,
             const socketio::Socket* except);

 private:
  void on_registered() override;
  void on_renamed() override;
  void on_departed(const std::string& node) override { cleaner_.clean(node); }
  void on_heartbeat() override {
    bus_.check();
    reconciler_.keep_alive();
  }
  void on_node_count(size_t nodes) override { counters_.nodes.set(nodes); }

  void on_envelope(const store::Envelope& envelope) override;
  void on_missed() override { reconciler_.check(); }
  void on_too_many();

  std::vector<store::Binding> bindings() override;
  bool is_bound(const store::Binding& binding) override;
  bool may_be_bound(const store::Binding& binding) override;
  void on_asking(const std::vector<store::Binding>& bindings) override;
  void on_members(const std::string& room, const std::vector<std::string>& members, uint64_t stamp,
                  bool final) override;
  void on_asked() override;

  void take(const store::Envelope& envelope);
  void take_behind_news(const store::Envelope& envelope);
  void learn_missed(const store::Envelope& envelope);
  void take_relay(const store::Envelope& envelope);
  void take_event(const store::Envelope& envelope);
  void take_news(const store::Envelope& envelope);
  void take_joined(const store::Envelope& envelope);
  void take_left(const store::Envelope& envelope);

  Counters& counters_;
  store::Commands& redis_;
  Members& members_;
  Listener listener_;
  store::Registry registry_;
  const std::unique_ptr<store::Rooms> rooms_;
  store::Bus bus_;
  store::Cleaner cleaner_;
  store::Reconciler reconciler_;
  HeldNews held_news_;
  EarlyMessages early_;
  std::vector<std::pair<std::string, uint64_t>> asked_;  // rooms that the reconciler asks about
};

}  // namespace signalbox::signaling
