// A play of two clients that meet in a room of their own.
//
// Thread: the only one.
#pragma once

#include <string>
#include <string_view>

#include "tests/bench/numbered.h"
#include "tests/bench/play.h"

namespace bench {

class Pair : public Play {
 public:
  Pair(Scenario& scenario, Client::Transport transport, size_t bytes = 1500);

  // Connects one, creates the room, joins; the same for the other; then both_joined().
  void begin() override;

 protected:
  virtual void both_joined() = 0;
  // A message came as it should.
  virtual void signalled(Client& to, uint64_t latency) = 0;
  // `told` heard that `first_` or `second_`, which is `gone`, left the room. Unless overridden, it
  // fails.
  virtual void told_gone(Client& told, Client& gone);

  void connected(Client& client) override;
  void heard(Client& client, const Event& event) override;

  void signal(Client& from, Signal signal);
  void leave_room(Client& client, Api::Answered answered);
  Client& other(const Client& client) { return &client == &first_ ? second_ : first_; }
  Numbered& from(const Client& client) { return &client == &first_ ? forth_ : back_; }
  bool complete() const { return forth_.complete() && back_.complete(); }

  Client first_;
  Client second_;
  Numbered forth_;
  Numbered back_;
  const Client::Transport transport_;
  int second_receive_buffer_ = 0;

 private:
  void join(Client& client);
  void joined(Client& client, const Event& event);
  void meet();

  const std::string room_;
  bool second_joined_ = false;
  bool first_told_ = false;
};

}  // namespace bench
