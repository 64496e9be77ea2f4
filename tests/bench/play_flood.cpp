// A client that sends more packets than it may, as many as its connection takes.
#include <memory>
#include <string>

#include "tests/bench/play.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

constexpr uint64_t kInterval = 10 * kMillisecond;
constexpr size_t kMostUnsent = 256 * 1024;
// An offer without a room: decoded, scanned and dropped.
constexpr std::string_view kPayload = R"({"offer":{"type":"offer","sdp":"v=0"},"peerId":"nobody"})";

class Flood final : public Play {
 public:
  Flood(Scenario& scenario, const double& rate)
      : Play(scenario),
        rate_(rate),
        client_(world(), *this),
        next_(world().reactor, [this] { send_more(); }) {}

  void begin() override {
    expect("connection");
    client_.connect();
  }

  void end() override { finish(); }

 private:
  void connected(Client&) override {
    expect_nothing();
    began_ = world().reactor.now();
    send_more();
  }

  void heard(Client&, const Event&) override { fail("answer to a dropped offer"); }

  void send_more() {
    const double seconds =
        static_cast<double>(world().reactor.now() - began_) / static_cast<double>(kSecond);
    const auto due = static_cast<uint64_t>(seconds * rate_);
    for (; sent_ < due && client_.unsent() < kMostUnsent; ++sent_) {
      client_.emit("offer", kPayload);
    }
    next_.start(kInterval);
  }

  const double& rate_;
  Client client_;
  Timer next_;
  uint64_t began_ = 0;
  uint64_t sent_ = 0;
};

}  // namespace

Scenario::Maker make_flood(Parameters& parameters) {
  const auto rate = std::make_shared<double>(parameters.take("packets", 5000));
  return [rate](Scenario& scenario) { return std::make_unique<Flood>(scenario, *rate); };
}

}  // namespace bench
