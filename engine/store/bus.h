// Messages between nodes. Messages to one node keep their order and arrive at most once.
//
// They go over Redis: each node listens on a channel of its own. While Redis, or the other node's
// subscription, is away they wait, for node.ttl at most (by then that node is as good as dead) and
// within node.max_buffered; what has to be dropped is counted. To a node of the same process they
// go directly (siblings.h).
//
// Thread: the loop's.
// Owner: the node.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/store/commands.h"
#include "engine/store/envelope.h"
#include "engine/store/siblings.h"
#include "engine/store/subscription.h"

namespace signalbox::store {

class Bus {
 public:
  class Listener {
   public:
    // Of another node, or (what was published to all) of this one. Valid during the call.
    virtual void on_envelope(const Envelope& envelope) = 0;
    // Messages to this node may have been lost.
    virtual void on_missed() = 0;

   protected:
    ~Listener() = default;
  };

  // Keeps references to all of them.
  Bus(Loop& loop, Log& log, const Options& options, Counters& counters, Commands& redis,
      std::shared_ptr<Siblings> siblings, Listener& listener);
  ~Bus() { close(); }
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  // Begins to listen as the node `id`; again with another id, should it change.
  void open(const std::string& id);
  void close();
  // Redis has come or gone.
  void on_connection(bool connected);
  // To be called every now and then: makes sure that what is published reaches us, and forgets
  // nodes that have not been heard of for long.
  void check();

  // Sends it to `node`, another one. Sender, route and sequence are filled in here. A stamp of the
  // caller's goes with it only past Redis: over Redis it comes behind all news there were before.
  void send(std::string_view node, Envelope envelope);

  // Publishes it to every node that listens to a channel of a name of the caller's; without order
  // across connections to Redis, and it does not wait for anything. This node hears it too, if it
  // listens.
  void publish(const std::string& channel, Envelope envelope);
  void listen(const std::string& channel) { subscription_.subscribe(channel); }
  void ignore(const std::string& channel) { subscription_.unsubscribe(channel); }

  // Messages that a node that listens has yet to get.
  size_t waiting() const;

 private:
  struct Message {
    uint64_t sequence;
    std::string bytes;
    uint64_t due_ms;  // when it is given up
  };
  // To one node. What has been published is kept until Redis says that the node heard it. Where it
  // did not, publishing stops, and begins again there when all answers are in.
  struct Route {
    uint32_t id;
    uint64_t next_sequence = 1;
    std::deque<Message> messages;  // not heard yet, oldest first
    uint64_t next_to_publish = 1;  // by sequence
    size_t answers_due = 0;
    bool stopped = false;
    bool doubtful = false;  // whether it listens: one message at a time, until one is heard
    bool unheard = false;   // the last answer: nobody listens there
    uint64_t used_ms = 0;
  };
  // From one node.
  struct Arrivals {
    uint32_t route = 0;
    uint64_t sequence = 0;  // the last
    uint64_t heard_ms = 0;
  };

  void publish_more(const std::string& node, Route& route);
  void publish_to(const std::string& node, Route& route, const Message& message);
  void on_published(const std::string& node, uint32_t route, uint64_t sequence, const Reply& reply);
  void forget_until(Route& route, uint64_t sequence, const char* why);
  void refused(Route& route, uint64_t sequence, const std::string& why);
  void count_dropped(const std::string& why);
  void retry();
  bool pass_to_sibling(std::string_view node, Envelope& envelope);
  void on_message(std::string_view bytes);
  void on_passed(std::string_view bytes);
  bool in_sequence(const Envelope& envelope);

  Loop& loop_;
  Log& log_;
  const Options& options_;
  Counters& counters_;
  Commands& redis_;
  Listener& listener_;
  std::string id_;
  std::unordered_map<std::string, Route> routes_;       // by node
  std::unordered_map<std::string, Arrivals> arrivals_;  // by node
  size_t buffered_ = 0;                                 // bytes, of all routes
  Timer retry_;
  Timer probe_;
  Subscription subscription_;
  const std::shared_ptr<Siblings> siblings_;
  const std::shared_ptr<Siblings::Inbox> inbox_;  // of what they pass to us
};

}  // namespace signalbox::store
