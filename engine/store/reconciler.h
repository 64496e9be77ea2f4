// Makes Redis agree with what this node's sockets are in, and this node with who else is there,
// after either may have missed something: Redis was away or came back empty, this node was given
// up, or messages to it were lost.
//
// A check has two passes. The first takes sockets that are gone out of Redis and binds those that
// are there, page by page, each when the one before is answered; members elsewhere that we did not
// know are news. The second comes when all other nodes have had the time for their first: only then
// is a member that Redis does not have really gone. The second pass is repeated long before the
// keys of the rooms run out: who stays for longer than rooms.ttl is still there.
//
// Thread: the loop's.
// Owner: the node.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/store/registry.h"
#include "engine/store/rooms.h"

namespace signalbox::store {

class Reconciler {
 public:
  class Listener {
   public:
    // The sockets of this node that are in rooms.
    virtual std::vector<Binding> bindings() = 0;
    // Whether that is so (still), or about to become so.
    virtual bool is_bound(const Binding& binding) = 0;
    virtual bool may_be_bound(const Binding& binding) = 0;
    // The members of these rooms are being asked for, and the answer (or that there is none) has
    // been told; never two questions at a time.
    virtual void on_asking(const std::vector<Binding>& bindings) = 0;
    virtual void on_asked() = 0;
    // Everyone in a room, as Redis has it at `stamp`. `final`: who is not among them is gone.
    virtual void on_members(const std::string& room, const std::vector<std::string>& members,
                            uint64_t stamp, bool final) = 0;

   protected:
    ~Listener() = default;
  };

  // Keeps references to all of them.
  Reconciler(Loop& loop, const Options& options, Counters& counters, Commands& redis,
             Registry& registry, Rooms& rooms, Listener& listener);

  // This node has registered, or again: Redis may have been emptied, and others may have to bind
  // their sockets again, too. Begins a check.
  void on_registered();

  // Begins a check soon, and anew if one is under way. Nothing happens while this node is not
  // registered.
  void check();

  // To be called with each heartbeat.
  void keep_alive();

 private:
  enum class Pass { kNone, kFirst, kSecond };

  void begin();
  void attempt(const auto& step);
  void scan_index(const std::string& cursor);
  void on_index_page(const Reply& reply);
  void leave(const Binding& binding);
  void begin_binding();
  void bind_page();
  void on_bind_answer(const std::vector<Binding>& page, uint64_t run, const BindReply& reply);
  void end_question();
  void leave_unbound(const std::vector<Binding>& page);
  void on_page_bound(const std::vector<Binding>& page, const BindReply& reply);
  void try_again_soon();

  Loop& loop_;
  const Options& options_;
  Counters& counters_;
  Commands& redis_;
  Registry& registry_;
  Rooms& rooms_;
  Listener& listener_;
  Pass pass_ = Pass::kNone;  // that is due or under way
  uint64_t run_ = 0;         // answers that belong to an earlier one are of no interest
  bool asking_ = false;
  bool begin_anew_ = false;  // once this pass is over
  uint64_t settled_ms_ = 0;  // when all others will have had the time to bind theirs
  uint64_t bound_ms_ = 0;    // when the last pass began to bind
  std::vector<Binding> todo_;
  Timer timer_;  // to the next pass
  std::minstd_rand jitter_{std::random_device{}()};
};

}  // namespace signalbox::store
