// A whole session, from the first connection to the last word.
#include <memory>

#include "tests/bench/pair.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

constexpr int kCandidates = 8;  // of each

enum class Ending : uint8_t {
  kLeaveRoom,  // over HTTP, one after the other
  kClose,      // one after the other
  kReset,      // one after the other
  kCloseBoth,  // at the same time
  kResetBoth,  // at the same time
};
constexpr uint32_t kEndings = 5;

class Session final : public Pair {
 public:
  Session(Scenario& scenario, double ending)
      : Pair(scenario, Client::Transport::kWebSocket),
        began_(clock_now()),
        ending_(static_cast<Ending>(ending < kEndings ? static_cast<uint32_t>(ending)
                                                      : world().below(kEndings))) {}

 private:
  void both_joined() override {
    expect("offer, answer, or candidate");
    signal(first_, Signal::kOffer);
  }

  void signalled(Client& to, uint64_t) override {
    const Numbered& heard = from(other(to));
    if (heard.received() == 1) {
      if (&to == &second_) signal(second_, Signal::kAnswer);
      for (int i = 0; i < kCandidates; ++i) signal(to, Signal::kCandidate);
    }
    if (forth_.received() <= kCandidates || back_.received() <= kCandidates) return;
    statistics().latency(clock_now() - began_);
    end_session();
  }

  void end_session() {
    talking_ = false;
    expect("end of the session");
    go(first_);
    if (ending_ >= Ending::kCloseBoth) go(second_);
  }

  // One of the two ends its part.
  void go(Client& client) {
    if (ending_ == Ending::kLeaveRoom) {
      leave_room(client, [this, &client](int status, std::string_view) {
        if (status != 200) {
          fail("leave_room answered " + std::to_string(status));
        } else {
          client.leave();
        }
      });
    } else if (ending_ == Ending::kReset || ending_ == Ending::kResetBoth) {
      client.reset();
      if (gone_++ == 1) finish();
    } else {
      client.leave();
    }
  }

  void told_gone(Client& told, Client& gone) override {
    const bool of_itself = &told == &gone;
    if (talking_ || (of_itself && ending_ != Ending::kLeaveRoom)) {
      fail("peer-disconnected of one who is there");
    } else if (&told == &second_ && !of_itself && ending_ <= Ending::kReset) {
      if (told_) {
        fail("peer-disconnected twice");
        return;
      }
      told_ = true;
      go(second_);
    }
  }

  void closed(Client& client, std::string_view reason) override {
    if (!client.leaving()) {
      fail(reason);
    } else if (gone_++ == 1) {
      finish();
    }
  }

  const uint64_t began_;
  const Ending ending_;
  int gone_ = 0;
  bool talking_ = true;
  bool told_ = false;
};

}  // namespace

Scenario::Maker make_session(Parameters& parameters) {
  const double ending = parameters.take("ending", kEndings);
  return [ending](Scenario& scenario) { return std::make_unique<Session>(scenario, ending); };
}

}  // namespace bench
