#include "engine/socketio/acks.h"

namespace signalbox::socketio {

Acks::Acks(Loop& loop) : loop_(loop), timer_(loop, [this] { expire(); }) {}

uint64_t Acks::add(const Socket& socket, uint64_t timeout_ms, AckHandler handler) {
  const uint64_t due_ms = loop_.now_ms() + timeout_ms;
  const Key key(&socket, next_id_++);
  waiting_.emplace(key, Waiting{due_ms, std::move(handler)});
  due_.emplace(due_ms, key);
  if (due_.begin()->second == key) timer_.start(timeout_ms);
  return key.second;
}

bool Acks::answer(const Socket& socket, uint64_t id, const AckOutcome& outcome) {
  const auto found = waiting_.find(Key(&socket, id));
  if (found == waiting_.end()) return false;
  finish(found, outcome);
  return true;
}

void Acks::drop(const Socket& socket) {
  for (;;) {
    const auto next = waiting_.lower_bound(Key(&socket, 0));
    if (next == waiting_.end() || next->first.first != &socket) return;
    finish(next, {.kind = AckOutcome::Kind::kGone});
  }
}

void Acks::forget(const Socket& socket) {
  for (;;) {
    const auto next = waiting_.lower_bound(Key(&socket, 0));
    if (next == waiting_.end() || next->first.first != &socket) return;
    due_.erase({next->second.due_ms, next->first});
    waiting_.erase(next);
  }
}

void Acks::finish(std::map<Key, Waiting>::iterator at, const AckOutcome& outcome) {
  const AckHandler handler = std::move(at->second.handler);
  due_.erase({at->second.due_ms, at->first});
  waiting_.erase(at);
  handler(outcome);
}

void Acks::expire() {
  const uint64_t now = loop_.now_ms();
  while (!due_.empty() && due_.begin()->first <= now) {
    timer_.start(0);  // should the handler fail, the rest is not forgotten
    finish(waiting_.find(due_.begin()->second), {.kind = AckOutcome::Kind::kTimedOut});
  }
  timer_.stop();
  if (!due_.empty()) timer_.start(due_.begin()->first - now);
}

}  // namespace signalbox::socketio
