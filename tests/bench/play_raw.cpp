// Clients that do not keep to the protocol: they stop half-way, dawdle, or never come back.
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/http.h"
#include "tests/bench/play.h"
#include "tests/bench/plays.h"
#include "tests/bench/web_socket.h"

namespace bench {
namespace {

// A play of one connection without a client on it.
class Raw : public Play, protected Connection::Listener {
 public:
  explicit Raw(Scenario& scenario)
      : Play(scenario), connection_(world().reactor, *this), address_(world().address()) {}

  void begin() override {
    expect("connection");
    connection_.open(world().route());
  }

 protected:
  void connected(Client&) final {}
  void heard(Client&, const Event&) final {}

  Connection connection_;
  const std::string address_;
};

// What is sent, and what has to have been received before the next step. {sid} is the session's id
// received last.
struct Step {
  enum class How : uint8_t { kBytes, kRequest, kWebSocket, kFrame } how;
  std::string_view text;
  std::string_view answer;
};

struct Stage {
  const char* name;
  std::vector<Step> steps;
};

const std::vector<Stage>& stages() {
  using How = Step::How;
  constexpr std::string_view kSession = "/socket.io/?EIO=4&transport=polling&sid={sid}";
  constexpr Step kOpened = {How::kWebSocket, kWebSocketPath, "\"sid\""};
  constexpr Step kConnected = {How::kFrame, "40", "40{"};
  constexpr Step kPolled = {How::kRequest, kPollingPath, "\"sid\""};
  static const std::vector<Stage> kStages = {
      {"connected", {}},
      {"in the request line", {{How::kBytes, "GET /socket.io/?EI", ""}}},
      {"in a header", {{How::kBytes, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forw", ""}}},
      {"in a body",
       {{How::kBytes,
         "POST /api/create_room HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
         "Content-Length: 400\r\n\r\n{\"roomId\":\"half",
         ""}}},
      {"before the answer",
       {{How::kBytes,
         "POST /api/check_room HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
         "Content-Length: 17\r\n\r\n{\"roomId\":\"none\"}",
         ""}}},
      {"in the upgrade", {{How::kWebSocket, kWebSocketPath, ""}}},
      {"after the upgrade", {{How::kWebSocket, kWebSocketPath, "101 "}}},
      {"opened", {kOpened}},
      {"in the connect packet", {kOpened, {How::kFrame, "40", ""}}},
      {"in the namespace", {kOpened, kConnected}},
      {"in a frame", {kOpened, kConnected, {How::kBytes, "\x81\xfe\x10", ""}}},
      {"in a join", {kOpened, kConnected, {How::kFrame, R"(42["join",{"roomId":"nowhere"}])", ""}}},
      {"in a handshake of polling", {{How::kRequest, kPollingPath, ""}}},
      {"polling opened", {kPolled}},
      {"in the first poll", {kPolled, {How::kRequest, kSession, ""}}},
      {"in a post",
       {kPolled,
        {How::kBytes,
         "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: a\r\n"
         "Content-Length: 4000\r\n\r\n42[\"of",
         ""}}},
      {"in a probe",
       {kPolled,
        {How::kWebSocket, "/socket.io/?EIO=4&transport=websocket&sid={sid}", "101 "},
        {How::kFrame, "2probe", ""}}},
      {"probed",
       {kPolled,
        {How::kWebSocket, "/socket.io/?EIO=4&transport=websocket&sid={sid}", "101 "},
        {How::kFrame, "2probe", "3probe"}}},
  };
  return kStages;
}

class Abort final : public Raw {
 public:
  explicit Abort(Scenario& scenario)
      : Raw(scenario),
        stage_(stages()[world().below(static_cast<uint32_t>(stages().size()))]),
        late_(world().reactor, [this] { reset(); }) {}

 private:
  void on_open(Connection&) override { go_on(); }

  void go_on() {
    while (step_ < stage_.steps.size()) {
      send(stage_.steps[step_]);
      if (!stage_.steps[step_].answer.empty()) {
        expect("answer before the reset");
        return;
      }
      ++step_;
    }
    // Sometimes the server has read what was sent by then, sometimes not.
    late_.start(world().below(3) * 5 * kMillisecond);
  }

  void send(const Step& step) {
    std::string text(step.text);
    const size_t place = text.find("{sid}");
    if (place != std::string::npos) text.replace(place, 5, sid_);
    switch (step.how) {
      case Step::How::kBytes:
        connection_.send(text);
        break;
      case Step::How::kRequest:
        connection_.send(get_request(text, address_));
        break;
      case Step::How::kWebSocket:
        connection_.send(web_socket_request(text, address_));
        break;
      case Step::How::kFrame: {
        std::string frame;
        append_frame(frame, Opcode::kText, text, world().random());
        connection_.send(frame);
        break;
      }
    }
  }

  size_t on_bytes(Connection&, std::string_view bytes) override {
    if (step_ == stage_.steps.size()) return bytes.size();
    if (bytes.find(stage_.steps[step_].answer) == std::string_view::npos) return 0;
    const size_t json = bytes.find("{\"sid\"");
    if (json != std::string_view::npos) sid_ = text_member(bytes.substr(json), "sid");
    ++step_;
    go_on();
    return bytes.size();
  }

  void on_end(Connection&, int) override {
    fail("connection ended by the server " + std::string(stage_.name));
  }

  void reset() {
    connection_.reset();
    scenario().note(stage_.name);
    finish();
  }

  const Stage& stage_;
  Timer late_;
  size_t step_ = 0;
  std::string sid_;
};

class Loris final : public Raw {
 public:
  explicit Loris(Scenario& scenario)
      : Raw(scenario), next_(world().reactor, [this] { send_byte(); }) {}

  void end() override { finish(); }

 private:
  static constexpr uint64_t kInterval = 2 * kSecond;

  void on_open(Connection& connection) override {
    expect_nothing();
    connection.send("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nX-Slow: ");
    next_.start(kInterval);
  }

  void send_byte() {
    connection_.send("a");
    next_.start(kInterval);
  }

  size_t on_bytes(Connection&, std::string_view bytes) override { return bytes.size(); }

  void on_end(Connection&, int) override {
    scenario().note("ended by the server");
    finish();
  }

  Timer next_;
};

class Abandon final : public Raw {
 public:
  using Raw::Raw;

 private:
  void on_open(Connection& connection) override {
    connection.send(get_request(kPollingPath, address_));
  }

  size_t on_bytes(Connection&, std::string_view bytes) override {
    const auto response = parse_response(bytes);
    if (!response) return 0;
    scenario().note("answered " + std::to_string(response->status));
    finish();
    return response->size;
  }

  void on_end(Connection&, int) override {
    scenario().note("turned away");
    finish();
  }
};

template <typename Made>
Scenario::Maker make(Parameters&) {
  return [](Scenario& scenario) { return std::make_unique<Made>(scenario); };
}

}  // namespace

Scenario::Maker make_abort(Parameters& parameters) {
  return make<Abort>(parameters);
}

Scenario::Maker make_loris(Parameters& parameters) {
  return make<Loris>(parameters);
}

Scenario::Maker make_abandon(Parameters& parameters) {
  return make<Abandon>(parameters);
}

}  // namespace bench
