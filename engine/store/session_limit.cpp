#include "engine/store/session_limit.h"

#include "engine/store/commands.h"

namespace signalbox::store {
namespace {

constexpr size_t kMostRefused = 10'000;  // addresses; those beyond are counted, but not refused

}  // namespace

int64_t SessionLimit::admit(const std::string& who) {
  if (options_.limits_connect_count == 0) {
    refused_until_ms_.clear();
    return 0;
  }
  if (const auto found = refused_until_ms_.find(who); found != refused_until_ms_.end()) {
    const uint64_t now_ms = loop_.now_ms();
    if (now_ms < found->second) return static_cast<int64_t>((found->second - now_ms + 999) / 1000);
    refused_until_ms_.erase(found);
  }
  limits_.ask({limits_.of(Limited::kConnect, who)}, true, [this, who](const Reply& reply) {
    Refusal refusal;
    if (refused(reply, refusal)) refuse(who, refusal.retry_after_s);
  });
  return 0;
}

void SessionLimit::refuse(const std::string& who, int64_t seconds) {
  const uint64_t now_ms = loop_.now_ms();
  if (refused_until_ms_.size() >= kMostRefused) {
    std::erase_if(refused_until_ms_, [now_ms](const auto& each) { return each.second <= now_ms; });
  }
  if (refused_until_ms_.size() >= kMostRefused) return;
  refused_until_ms_[who] = now_ms + static_cast<uint64_t>(seconds) * 1000;
}

}  // namespace signalbox::store
