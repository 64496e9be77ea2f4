// What the plays of all kinds have in common.
//
// Thread: the only one.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "tests/bench/client.h"
#include "tests/bench/scenario.h"

namespace bench {

class Play : protected Client::Listener {
 public:
  explicit Play(Scenario& scenario);
  virtual ~Play() = default;

  // Called once.
  virtual void begin() = 0;
  // The run is at its end. For plays that do not end by themselves.
  virtual void end() {}

 protected:
  static constexpr uint64_t kPatience = 15 * kSecond;

  // It ended as it should, or not. Nothing of it is called any more.
  void finish();
  void fail(std::string_view error);

  // Unless something else is expected by then, or nothing(), it fails in `patience` ns: "no WHAT in
  // time".
  void expect(const char* what, uint64_t patience = kPatience);
  void expect_nothing() { patience_.stop(); }

  // Calls the API in the name of `client`. `answered` is not called once the play is over.
  void post(const Client& client, std::string_view path, std::string_view body,
            Api::Answered answered);

  // What its clients tell, while it is not over.
  virtual void connected(Client& client) = 0;
  virtual void heard(Client& client, const Event& event) = 0;
  // Unless overridden, it fails.
  virtual void closed(Client& client, std::string_view reason);
  virtual void upgraded(Client&) {}

  Scenario& scenario() { return scenario_; }
  Statistics& statistics() { return scenario_.statistics; }
  World& world() { return scenario_.world(); }

 private:
  void on_connected(Client& client) final;
  void on_event(Client& client, const Event& event) final;
  void on_closed(Client& client, std::string_view reason) final;
  void on_upgraded(Client& client) final;

  Scenario& scenario_;
  std::shared_ptr<bool> over_;
  Timer patience_;
  const char* expected_ = "";
};

}  // namespace bench
