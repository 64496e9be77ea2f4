#include "engine/engineio/drain.h"

#include <algorithm>
#include <random>
#include <utility>

#include "engine/engineio/server.h"

namespace signalbox::engineio {
namespace {

// A few clients need no spreading: 200 of them a second are no burden to any node, so that going
// slower would only keep a small node from its end. Many take the whole time that they are given.
constexpr uint64_t kLongestTurnMs = 5;
constexpr uint64_t kTickMs = 1;
constexpr uint64_t kLateTickMs = 5;  // each looks at all that are left

}  // namespace

Drain::Drain(Loop& loop, Server& server)
    : loop_(loop), server_(server), timer_(loop, [this] { go_on(); }) {}

void Drain::start(uint64_t spread_ms, uint64_t patience_ms, std::function<void()> done) {
  server_.stop_accepting();
  for (const Session* session : server_.open_sessions()) turns_.push_back(session->id());
  std::shuffle(turns_.begin(), turns_.end(), std::minstd_rand(std::random_device{}()));
  begun_ms_ = loop_.now_ms();
  spread_ms_ = std::min(spread_ms, turns_.size() * kLongestTurnMs);
  patience_ms_ = patience_ms;
  done_ = std::move(done);
  go_on();
}

void Drain::hurry() {
  if (!done_) return;
  if (taken_ < turns_.size()) spread_end_ms_ = loop_.now_ms();
  server_.close_all(CloseReason::kShutdown);
  finish();
}

void Drain::go_on() {
  // First: what follows may end early, for want of memory.
  timer_.start(taken_ < turns_.size() ? kTickMs : kLateTickMs);
  take_turns();
  if (taken_ == turns_.size() && end_late_ones()) finish();
}

void Drain::take_turns() {
  const uint64_t elapsed_ms = loop_.now_ms() - begun_ms_;
  const size_t due =
      elapsed_ms < spread_ms_ ? turns_.size() * elapsed_ms / spread_ms_ + 1 : turns_.size();
  while (taken_ < due) {
    Session* session = server_.find(turns_[taken_++]);
    if (session != nullptr && session->at_rest()) session->close(CloseReason::kShutdown);
  }
  if (spread_end_ms_ == 0 && taken_ == turns_.size()) spread_end_ms_ = loop_.now_ms();
}

// Also sessions whose handshake was under way when the others got their turns.
bool Drain::end_late_ones() {
  const bool overdue = loop_.now_ms() >= spread_end_ms_ + patience_ms_;
  bool all = true;
  for (Session* session : server_.open_sessions()) {
    if (overdue || session->at_rest()) {
      session->close(CloseReason::kShutdown);
    } else {
      all = false;
    }
  }
  return all;
}

void Drain::finish() {
  timer_.stop();
  std::exchange(done_, nullptr)();
}

}  // namespace signalbox::engineio
