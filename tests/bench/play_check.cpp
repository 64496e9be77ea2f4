// One that asks over HTTP for a room that is not there, again and again, until the run is at its
// end.
#include <memory>
#include <string>

#include "tests/bench/play.h"
#include "tests/bench/plays.h"

namespace bench {
namespace {

class Check final : public Play {
 public:
  explicit Check(Scenario& scenario)
      : Play(scenario),
        client_(world(), *this),
        body_(R"({"roomId":")" + world().room() + R"("})") {}

  void begin() override { ask(); }

  void end() override { finish(); }

 private:
  void ask() {
    expect("answer of check_room");
    const uint64_t asked = clock_now();
    post(client_, "/api/check_room", body_, [this, asked](int status, std::string_view body) {
      if (status != 200 || body.find(R"("available":true)") == std::string_view::npos) {
        fail("check_room answered " + std::to_string(status));
        return;
      }
      statistics().latency(clock_now() - asked);
      ++statistics().received;
      ask();
    });
  }

  void connected(Client&) override {}
  void heard(Client&, const Event&) override {}

  Client client_;  // for its address; it never connects
  const std::string body_;
};

}  // namespace

Scenario::Maker make_check(Parameters&) {
  return [](Scenario& scenario) { return std::make_unique<Check>(scenario); };
}

}  // namespace bench
