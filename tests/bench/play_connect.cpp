// One connection, from TCP to the namespace, and then no more.
#include <memory>

#include "tests/bench/play.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

class Connect final : public Play {
 public:
  explicit Connect(Scenario& scenario)
      : Play(scenario), began_(clock_now()), client_(world(), *this) {}

  void begin() override {
    expect("connection");
    client_.connect();
  }

 private:
  void connected(Client&) override {
    statistics().latency(clock_now() - began_);
    ++statistics().received;
    client_.reset();  // so that this side is not left with ports that wait
    finish();
  }

  void heard(Client&, const Event&) override { fail("event that nobody expects"); }

  const uint64_t began_;
  Client client_;
};

}  // namespace

Scenario::Maker make_connect(Parameters&) {
  return [](Scenario& scenario) { return std::make_unique<Connect>(scenario); };
}

}  // namespace bench
