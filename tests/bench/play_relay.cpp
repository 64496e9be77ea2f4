// Pairs that talk until the run is at its end.
#include <algorithm>
#include <memory>

#include "tests/bench/pair.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

struct Pace {
  double messages;  // 0: each when the last has come
  uint64_t candidates;
  size_t bytes;
  Client::Transport transport;
};

class Relay final : public Pair {
 public:
  Relay(Scenario& scenario, const Pace& pace)
      : Pair(scenario, pace.transport, pace.bytes),
        pace_(pace),
        next_(world().reactor, [this] { send_due(); }) {}

  void end() override {
    ending_ = true;
    next_.stop();
    if (first_.id().empty() || second_.id().empty() || complete()) {
      finish();
    } else {
      expect("message that is still under way");
    }
  }

 private:
  void both_joined() override {
    scenario().note("met");
    if (ending_) {
      finish();
      return;
    }
    if (pace_.messages == 0) {
      signal_next(first_);
      return;
    }
    // Not all pairs at the same time.
    due_ = world().reactor.now() + static_cast<uint64_t>(interval() * world().below(1000) / 1000);
    next_.start(due_ - world().reactor.now());
  }

  double interval() {
    return static_cast<double>(kSecond) / std::max(pace_.messages * scenario().scale(), 1e-3);
  }

  void send_due() {
    const uint64_t now = world().reactor.now();
    for (; due_ <= now; due_ += static_cast<uint64_t>(interval())) {
      signal_next(count_ % 2 == 0 ? first_ : second_);
    }
    next_.start(due_ - now);
  }

  void signal_next(Client& from_client) {
    const bool offer = count_++ / 2 % (pace_.candidates + 1) == 0;
    signal(from_client, offer ? Signal::kOffer : Signal::kCandidate);
  }

  void signalled(Client& to, uint64_t latency) override {
    statistics().latency(latency);
    if (ending_) {
      if (complete()) finish();
    } else if (pace_.messages == 0) {
      signal_next(to);
    }
  }

  const Pace& pace_;
  Timer next_;
  uint64_t due_ = 0;
  uint64_t count_ = 0;
  bool ending_ = false;
};

}  // namespace

Scenario::Maker make_relay(Parameters& parameters) {
  const auto pace = std::make_shared<Pace>();
  pace->messages = parameters.take("messages", 20);
  pace->candidates = static_cast<uint64_t>(parameters.take("candidates", 0));
  pace->bytes = static_cast<size_t>(parameters.take("bytes", 1500));
  pace->transport = parameters.take("polling", 0) == 0 ? Client::Transport::kWebSocket
                                                       : Client::Transport::kPolling;
  return [pace](Scenario& scenario) { return std::make_unique<Relay>(scenario, *pace); };
}

}  // namespace bench
