// Messages of nodes of the same process that came before the news, over Redis, of what their sender
// did before it sent them: that it is in the room, or is in it anew. They are kept until then,
// within node.max_buffered, for a second at most: by then the news have been missed.
//
// What one node sends about one room keeps its order.
//
// Thread: the loop's.
// Owner: Neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/store/envelope.h"

namespace signalbox::signaling {

class EarlyMessages {
 public:
  struct Listener {
    // Whether the news have been heard that a message comes behind.
    std::function<bool(const store::Envelope& envelope)> is_due;
    std::function<void(const store::Envelope& envelope)> deliver;
    // They are waited for no more: afterwards the message is due.
    std::function<void(const store::Envelope& envelope)> give_up;
  };

  // Keeps a reference to `options`.
  EarlyMessages(Loop& loop, const Options& options, Listener listener);

  // Delivers the message, at once or when it is due. False when too many wait: it is dropped.
  bool take(const store::Envelope& envelope);
  // There are news about a room: delivers what is due by them.
  void on_news(std::string_view room);

 private:
  struct Held {
    std::string sender;
    std::string bytes;
    uint64_t until_ms;
  };
  using HeldList = std::list<Held>;  // oldest first; taking one out must not need memory

  static size_t cost(const Held& held) { return sizeof held + held.bytes.size(); }
  static bool has_of(const HeldList& held, std::string_view sender);
  void take_out_due(HeldList& held, HeldList& due);
  void on_time();

  Loop& loop_;
  const Options& options_;
  const Listener listener_;
  Timer timer_;  // runs while there are any
  std::unordered_map<std::string, HeldList> rooms_;
  size_t buffered_ = 0;  // bytes
};

}  // namespace signalbox::signaling
