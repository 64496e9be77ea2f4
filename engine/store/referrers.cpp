#include "engine/store/referrers.h"

#include <string>
#include <utility>

#include "engine/store/commands.h"
#include "engine/store/keys.h"

namespace signalbox::store {
namespace {

constexpr size_t kMaxRefBytes = 256;
constexpr int kMaxRefsPerDay = 10'000;
constexpr int kTtlS = 30 * 86'400;
constexpr std::string_view kOther = "(other)";

// KEYS the day's hash
// ARGV 1 ref, 2 most refs, 3 the ref that stands for those beyond, 4 seconds the day is kept
// Answers the ref's count.
const Script& count_script() {
  static const Script script(R"lua(
local ref = ARGV[1]
if redis.call('HEXISTS', KEYS[1], ref) == 0
    and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then
  ref = ARGV[3]
end
local count = redis.call('HINCRBY', KEYS[1], ref, 1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return count
)lua");
  return script;
}

}  // namespace

void Referrers::count(std::string_view ref, std::string_view day,
                      std::function<void(bool ok)> done) {
  if (ref.size() > kMaxRefBytes) ref = kOther;
  redis_.script(
      count_script(), {referrers_key(day)},
      {std::string(ref), std::to_string(kMaxRefsPerDay), std::string(kOther),
       std::to_string(kTtlS)},
      [done = std::move(done)](const Reply& reply) { done(reply.type == Reply::Type::kInteger); });
}

}  // namespace signalbox::store
