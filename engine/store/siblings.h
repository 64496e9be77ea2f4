// Nodes of one process that share a port and a Redis: the way of their messages to each other, past
// Redis.
//
// What Redis tells a node has happened after whatever its siblings had passed to it by then: who
// calls Inbox::take() before he heeds Redis sees the two in that order. The other way round there
// is none: a message may be here before the news of what its sender did before (see
// signaling/early_messages.h).
//
// Thread: any, but for Inbox, which belongs to its node's.
// Owner: shared by the engines.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/loop.h"
#include "engine/store/envelope.h"

namespace signalbox::store {

class Siblings {
 public:
  enum class Passed {
    kYes,
    kFull,    // more than `most` bytes would wait for it
    kAbsent,  // it is not one of us
  };

  // Messages that wait for one node.
  class Inbox : public std::enable_shared_from_this<Inbox> {
   public:
    // `deliver` gets each message, encoded, in the order in which one sender passed them, inside
    // take(), which the loop calls soon after one has come.
    Inbox(Loop& loop, std::function<void(std::string_view bytes)> deliver)
        : loop_(loop), deliver_(std::move(deliver)) {}

    // Delivers what has come.
    void take();
    // Drops it; nothing is delivered any more. Once it cannot be found any more (leave()).
    void close();

   private:
    friend class Siblings;
    Passed add(std::string bytes, size_t most);

    Loop& loop_;
    std::function<void(std::string_view bytes)> deliver_;
    std::mutex mutex_;                   // guards what follows
    std::vector<std::string> messages_;  // oldest first
    size_t waiting_ = 0;                 // their bytes
  };

  // From now on messages to `node` go there, unless another one has that name already.
  void enter(const std::string& node, const std::shared_ptr<Inbox>& inbox);
  void leave(const std::string& node, const std::shared_ptr<Inbox>& inbox);

  Passed pass(std::string_view node, const Envelope& envelope, size_t most);

 private:
  std::shared_mutex mutex_;  // guards inboxes_
  std::map<std::string, std::shared_ptr<Inbox>, std::less<>> inboxes_;
};

}  // namespace signalbox::store
