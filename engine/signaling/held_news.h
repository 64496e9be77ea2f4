// Messages of other nodes about rooms whose members are being asked for. The answer of Redis and
// the messages come over two connections: what arrives before the answer may have happened after
// it, and is kept until then, within node.max_buffered.
//
// Thread: the loop's.
// Owner: the Service.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "engine/core/options.h"
#include "engine/store/envelope.h"

namespace signalbox::signaling {

class HeldNews {
 public:
  // What to do with a message once nothing keeps it any more. Keeps a reference to `options`.
  HeldNews(const Options& options, std::function<void(const store::Envelope&)> deliver)
      : options_(options), deliver_(std::move(deliver)) {}

  // A question about a room goes out; the result is for arrived().
  uint64_t expect(const std::string& room);
  // Its answer has been dealt with, or there will be none.
  void arrived(const std::string& room, uint64_t question);

  // Delivers the message, at once or when all questions about its room that are under way are
  // answered. False when too many wait: it is not delivered.
  bool take(const store::Envelope& envelope);

 private:
  struct Held {
    uint64_t after;  // the question that it waits for
    std::string bytes;
  };
  struct Room {
    size_t questions = 0;  // under way
    uint64_t last_question = 0;
    std::list<Held> held;  // taking it out must not need memory
  };

  static size_t cost(const Held& held) { return sizeof held + held.bytes.size(); }

  const Options& options_;
  const std::function<void(const store::Envelope&)> deliver_;
  std::unordered_map<std::string, Room> rooms_;
  uint64_t questions_ = 0;
  size_t buffered_ = 0;  // bytes
};

}  // namespace signalbox::signaling
