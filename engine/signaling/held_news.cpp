#include "engine/signaling/held_news.h"

#include <utility>

namespace signalbox::signaling {

uint64_t HeldNews::expect(const std::string& room) {
  Room& waiting = rooms_[room];
  ++waiting.questions;
  waiting.last_question = ++questions_;
  return questions_;
}

void HeldNews::arrived(const std::string& room, uint64_t question) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  std::list<Held> due;
  std::list<Held>& held = found->second.held;
  const bool last = --found->second.questions == 0;
  while (!held.empty() && (last || held.front().after <= question)) {
    buffered_ -= cost(held.front());
    due.splice(due.end(), held, held.begin());
  }
  if (last) rooms_.erase(found);
  for (const Held& each : due) {
    store::Envelope envelope;
    if (store::decode(each.bytes, envelope) == store::DecodeResult::kOk) deliver_(envelope);
  }
}

bool HeldNews::take(const store::Envelope& envelope) {
  const auto found = rooms_.empty() ? rooms_.end() : rooms_.find(std::string(envelope.room));
  if (found == rooms_.end()) {
    deliver_(envelope);
    return true;
  }
  Held held = {found->second.last_question, store::encode(envelope)};
  if (buffered_ + cost(held) > static_cast<size_t>(options_.node_max_buffered)) return false;
  buffered_ += cost(held);
  found->second.held.push_back(std::move(held));
  return true;
}

}  // namespace signalbox::signaling
