// Offers, answers and candidates from one client to another that are numbered and carry when they
// were sent, so that the receiver sees what was lost, came twice, late, out of order, or changed.
//
// Thread: the only one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/client.h"
#include "tests/bench/socketio.h"

namespace bench {

enum class Signal : uint8_t { kOffer, kAnswer, kCandidate };

// One direction. Sender and receiver are in this process and share it.
class Numbered {
 public:
  // `bytes`: about how long an offer or an answer is.
  explicit Numbered(size_t bytes = 1500) : bytes_(bytes) {}

  // Sends the next message.
  void send(Client& from, const std::string& to, Signal signal);

  // Takes one that arrived from `from` and says what is wrong with it, empty if nothing is.
  // `latency` is then how long it took, in ns.
  std::string_view take(const Event& event, const std::string& from, uint64_t& latency);

  uint64_t sent() const { return sent_; }
  uint64_t received() const { return received_; }
  bool complete() const { return received_ == sent_; }

 private:
  size_t bytes_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;  // the number of the last one
};

// Whether it is one of the three.
bool is_signal(const Event& event);

}  // namespace bench
