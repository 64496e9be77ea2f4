// A reader that stops reading while its peer sends, until the server closes it; then it comes back.
#include <algorithm>
#include <memory>

#include "tests/bench/pair.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

constexpr size_t kOffer = 16 * 1024;
constexpr int kReceiveBuffer = 4096;
constexpr uint64_t kInterval = 10 * kMillisecond;
// A reader whose peer stops to send before the server's bound is closed when it owes a pong.
constexpr uint64_t kPatienceWithServer = 120 * kSecond;

struct Flood {
  double rate;
  uint64_t bytes;
};

class Slow final : public Pair {
 public:
  Slow(Scenario& scenario, const Flood& flood)
      : Pair(scenario, Client::Transport::kWebSocket, kOffer),
        flood_(flood),
        next_(world().reactor, [this] { send_more(); }) {
    second_receive_buffer_ = kReceiveBuffer;
  }

 private:
  void both_joined() override {
    if (came_back_) {
      signal(first_, Signal::kOffer);
      signal(second_, Signal::kAnswer);
      expect("message after the reader came back");
      return;
    }
    second_.pause_reading();
    began_ = world().reactor.now();
    expect("end of the reader that does not read", kPatienceWithServer);
    send_more();
  }

  void send_more() {
    const double seconds =
        static_cast<double>(world().reactor.now() - began_) / static_cast<double>(kSecond);
    auto due = static_cast<uint64_t>(seconds * flood_.rate);
    if (flood_.bytes != 0) due = std::min(due, flood_.bytes);
    for (; bytes_ < due; bytes_ += kOffer) signal(first_, Signal::kOffer);
    next_.start(kInterval);
  }

  void told_gone(Client& told, Client& gone) override {
    if (&told != &first_ || &gone != &second_ || came_back_) {
      fail("peer-disconnected of one who is there");
      return;
    }
    next_.stop();
    came_back_ = true;
    statistics().latency(world().reactor.now() - began_);
    expect("end of the connection after the news of it");
    second_.resume_reading();
    if (reader_closed_) come_back();
  }

  void closed(Client& client, std::string_view reason) override {
    if (&client == &first_ || reader_closed_) {
      fail(reason);
      return;
    }
    reader_closed_ = true;
    if (came_back_) come_back();
  }

  void come_back() {
    forth_ = Numbered(kOffer);
    back_ = Numbered(kOffer);
    expect("connection");
    second_.connect(transport_);
  }

  void signalled(Client&, uint64_t) override {
    if (came_back_ && reader_closed_ && complete()) finish();
  }

  const Flood& flood_;
  Timer next_;
  uint64_t began_ = 0;
  uint64_t bytes_ = 0;
  bool reader_closed_ = false;
  bool came_back_ = false;
};

}  // namespace

Scenario::Maker make_slow(Parameters& parameters) {
  const auto flood = std::make_shared<Flood>();
  flood->rate = parameters.take("flood", 10e6);
  flood->bytes = static_cast<uint64_t>(parameters.take("bytes", 0));
  return [flood](Scenario& scenario) { return std::make_unique<Slow>(scenario, *flood); };
}

}  // namespace bench
