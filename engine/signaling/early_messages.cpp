#include "engine/signaling/early_messages.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace signalbox::signaling {
namespace {

constexpr uint64_t kPatienceMs = 1000;

}  // namespace

EarlyMessages::EarlyMessages(Loop& loop, const Options& options, Listener listener)
    : loop_(loop),
      options_(options),
      listener_(std::move(listener)),
      timer_(loop, [this] { on_time(); }) {}

bool EarlyMessages::has_of(const HeldList& held, std::string_view sender) {
  return std::ranges::find(held, sender, &Held::sender) != held.end();
}

bool EarlyMessages::take(const store::Envelope& envelope) {
  const auto found = rooms_.empty() ? rooms_.end() : rooms_.find(std::string(envelope.room));
  const bool others_wait = found != rooms_.end() && has_of(found->second, envelope.sender);
  if (!others_wait && listener_.is_due(envelope)) {
    listener_.deliver(envelope);
    return true;
  }
  HeldList one;
  one.push_back(
      {std::string(envelope.sender), store::encode(envelope), loop_.now_ms() + kPatienceMs});
  const size_t size = cost(one.front());
  if (buffered_ + size > static_cast<size_t>(options_.node_max_buffered)) return false;
  HeldList& held = rooms_[std::string(envelope.room)];
  held.splice(held.end(), one);
  buffered_ += size;
  if (!timer_.active()) timer_.start(kPatienceMs);
  return true;
}

void EarlyMessages::on_news(std::string_view room) {
  if (rooms_.empty()) return;
  const auto found = rooms_.find(std::string(room));
  if (found == rooms_.end()) return;
  HeldList due;
  // Should memory be wanting, what is not due yet stays, and what is goes all the same.
  loop_.guard([&] { take_out_due(found->second, due); });
  if (found->second.empty()) rooms_.erase(found);
  for (const Held& each : due) {
    loop_.guard([&] {
      store::Envelope envelope;
      store::decode(each.bytes, envelope);
      listener_.deliver(envelope);
    });
  }
}

void EarlyMessages::take_out_due(HeldList& held, HeldList& due) {
  std::vector<std::string_view> waiting;  // senders of messages that stay
  for (auto next = held.begin(); next != held.end();) {
    const auto each = next++;
    store::Envelope envelope;
    store::decode(each->bytes, envelope);
    if (std::ranges::find(waiting, each->sender) == waiting.end() && listener_.is_due(envelope)) {
      buffered_ -= cost(*each);
      due.splice(due.end(), held, each);
    } else {
      waiting.push_back(each->sender);
    }
  }
}

void EarlyMessages::on_time() {
  timer_.start(kPatienceMs / 10);  // should memory be wanting for what follows
  std::vector<std::string> late;
  for (const auto& [room, held] : rooms_) {
    if (held.front().until_ms > loop_.now_ms()) continue;
    late.push_back(room);
    store::Envelope envelope;
    store::decode(held.front().bytes, envelope);
    listener_.give_up(envelope);
  }
  for (const std::string& room : late) on_news(room);
  if (rooms_.empty()) timer_.stop();
}

}  // namespace signalbox::signaling
