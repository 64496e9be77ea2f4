// Pairs over polling that go on talking while they move to WebSocket, or do not.
#include <memory>

#include "tests/bench/pair.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

constexpr uint64_t kMessages = 10;  // of each
constexpr uint64_t kInterval = 30 * kMillisecond;
constexpr uint64_t kFirstUpgrade = 3;   // before this message
constexpr uint64_t kSecondUpgrade = 6;  // before this message

class Polling final : public Pair {
 public:
  explicit Polling(Scenario& scenario)
      : Pair(scenario, Client::Transport::kPolling),
        both_upgrade_(world().below(2) == 0),
        next_(world().reactor, [this] { send_next(); }) {}

 private:
  void both_joined() override {
    expect("message, or upgrade");
    send_next();
  }

  void send_next() {
    const uint64_t number = forth_.sent() + 1;
    if (number == kFirstUpgrade) first_.upgrade();
    if (number == kSecondUpgrade && both_upgrade_) second_.upgrade();
    signal(first_, Signal::kOffer);
    signal(second_, Signal::kCandidate);
    if (number < kMessages) next_.start(kInterval);
  }

  void signalled(Client&, uint64_t latency) override {
    statistics().latency(latency);
    leave_when_done();
  }

  void upgraded(Client&) override {
    ++upgrades_;
    leave_when_done();
  }

  void leave_when_done() {
    if (forth_.sent() < kMessages || !complete() || upgrades_ < (both_upgrade_ ? 2 : 1)) return;
    expect("end of the session");
    first_.leave();
    second_.leave();
  }

  void told_gone(Client&, Client& gone) override {
    if (!gone.leaving()) fail("peer-disconnected of one who is there");
  }

  void closed(Client& client, std::string_view reason) override {
    if (!client.leaving()) {
      fail(reason);
    } else if (gone_++ == 1) {
      finish();
    }
  }

  const bool both_upgrade_;
  Timer next_;
  int upgrades_ = 0;
  int gone_ = 0;
};

}  // namespace

Scenario::Maker make_polling(Parameters&) {
  return [](Scenario& scenario) { return std::make_unique<Polling>(scenario); };
}

}  // namespace bench
