// One that sits in a room of its own until the run is at its end.
#include <memory>
#include <string>

#include "tests/bench/play.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

class Idle final : public Play {
 public:
  explicit Idle(Scenario& scenario)
      : Play(scenario), client_(world(), *this), room_(world().room()) {}

  void begin() override {
    expect("connection");
    client_.connect();
  }

  void end() override { finish(); }

  ~Idle() override { statistics().notes["pings answered"] += client_.pings(); }

 private:
  void connected(Client&) override {
    expect("answer of create_room");
    const std::string body = R"({"roomId":")" + room_ + R"("})";
    post(client_, "/api/create_room", body, [this, body](int status, std::string_view) {
      expect("joinResponse");
      if (status == 200) {
        client_.emit("join", body);
      } else {
        fail("create_room answered " + std::to_string(status));
      }
    });
  }

  void heard(Client&, const Event& event) override {
    expect_nothing();
    if (member(event.payload, "success") == "true") {
      ++statistics().received;
    } else {
      fail("join refused");
    }
  }

  Client client_;
  const std::string room_;
};

}  // namespace

Scenario::Maker make_idle(Parameters&) {
  return [](Scenario& scenario) { return std::make_unique<Idle>(scenario); };
}

}  // namespace bench
