// Which nodes there are: this node's id, its lease in Redis, and the leases of others that ran out.
//
// A node renews its lease every quarter of node.ttl. Nodes watch each other: whoever finds a lease
// that has run out claims it, atomically, and with it the duty to clean up (see Cleaner); the claim
// is a lease itself. A node whose lease was claimed while it was slow finds out with its next
// command and registers again. After Redis was away all leases are old: a node judges others only
// once it has been able to renew its own for a whole node.ttl.
//
// Thread: the loop's.
// Owner: the node.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/store/commands.h"

namespace signalbox::store {

// Something that must hold in Redis for a script to be carried out: `field` of the hash `key` is
// `value`.
struct Fence {
  std::string key;
  std::string field;
  std::string value;
};

class Registry {
 public:
  class Listener {
   public:
    // Registered, or again: what Redis knows of this node's sockets may be out of date.
    virtual void on_registered() = 0;
    // The id belonged to another node. There is a new one; the sockets that bear the old one can be
    // reached by nobody.
    virtual void on_renamed() = 0;
    // This node has to clean up after `node`; which may be itself, and then is not registered.
    virtual void on_departed(const std::string& node) = 0;
    // A heartbeat is being sent.
    virtual void on_heartbeat() = 0;
    // The answer to it: how many nodes share this Redis, with this one.
    virtual void on_node_count(size_t nodes) = 0;

   protected:
    ~Listener() = default;
  };

  // Keeps references to all of them.
  Registry(Loop& loop, Log& log, const Options& options, Commands& redis, Listener& listener);

  const std::string& id() const { return id_; }
  bool registered() const { return phase_ == Phase::kRegistered; }
  // Tells this node from another one of the same id, and its registrations from each other.
  const std::string& secret() const { return secret_; }
  uint64_t number() const { return number_; }
  // Holds while this node is registered; in a cluster it is beside the node's index.
  Fence fence() const;

  // Redis has come or gone.
  void on_connection(bool connected);
  // A fence did not hold: registers again.
  void on_lost();

  // Calls back once this node is registered, or cannot be soon: at once (also when
  // redis.max_pending wait already), when the first attempt to connect to Redis has failed, or
  // within redis.command_timeout.
  void when_registered(std::function<void()> done);

  // Takes this node out of Redis, once its sockets are; nothing is done any more afterwards.
  // Sockets that are not, because Redis was away when they left, are left to the others.
  void unregister();

  // --- For the cleaner ---

  // Holds while the duty to clean up after `node` is ours.
  Fence claim(const std::string& node) const;
  // Makes the claim last for another node.ttl, and tells the token of the registration that is
  // over; nothing when the claim is not ours any more.
  void renew_claim(const std::string& node,
                   std::function<void(const std::optional<std::string>& token)> done);
  // Everything is done: forgets the node.
  void release_claim(const std::string& node);

 private:
  enum class Phase { kOut, kAsking, kRegistered, kEnded };

  void beat();
  void ask();
  void on_answer(const Reply& reply);
  void raise_fence();
  void on_registered();
  void renew();
  void on_renewed(const Reply& reply);
  void answer_waiting();
  std::string token() const;
  std::vector<std::string> keys() const;

  Loop& loop_;
  Log& log_;
  const Options& options_;
  Commands& redis_;
  Listener& listener_;
  std::string id_;
  const std::string secret_;
  uint64_t registrations_ = 0;  // asked for
  uint64_t number_ = 0;         // of the last that was granted
  Phase phase_ = Phase::kOut;
  Timer timer_;  // to the next heartbeat, or attempt to register
  std::vector<std::function<void()>> waiting_;
  Timer waiting_timer_;
};

}  // namespace signalbox::store
