#include "engine/signaling/held_news.h"

#include <utility>

namespace signalbox::signaling {
namespace {

constexpr size_t kMostHeld = 10'000;

}  // namespace

uint64_t HeldNews::expect(const std::string& room) {
  Room& waiting = rooms_[room];
  ++waiting.questions;
  waiting.last_question = ++questions_;
  return questions_;
}

void HeldNews::arrived(const std::string& room, uint64_t question) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  std::deque<Held> due;
  std::deque<Held>& held = found->second.held;
  const bool last = --found->second.questions == 0;
  while (!held.empty() && (last || held.front().after <= question)) {
    due.push_back(std::move(held.front()));
    held.pop_front();
  }
  if (last) rooms_.erase(found);
  held_ -= due.size();
  for (const Held& each : due) {
    store::Envelope envelope;
    if (store::decode(each.bytes, envelope) == store::DecodeResult::kOk) deliver_(envelope);
  }
}

bool HeldNews::take(const store::Envelope& envelope) {
  const auto found = rooms_.find(std::string(envelope.room));
  if (found == rooms_.end()) {
    deliver_(envelope);
    return true;
  }
  if (held_ == kMostHeld) return false;
  ++held_;
  found->second.held.push_back({found->second.last_question, store::encode(envelope)});
  return true;
}

}  // namespace signalbox::signaling
