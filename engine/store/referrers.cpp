#include "engine/store/referrers.h"

#include <string>
#include <utility>

#include "engine/store/commands.h"
#include "engine/store/keys.h"
#include "engine/store/room_replies.h"
#include "engine/store/script_parts.h"

namespace signalbox::store {
namespace {

constexpr size_t kMaxRefBytes = 256;
constexpr int kTtlS = 30 * 86'400;
constexpr std::string_view kOther = "(other)";

// KEYS the day's hash; where it is asked for here: what the address has reported
// ARGV 1 ref, 2 most refs, 3 the ref that stands for those beyond, 4 seconds the day is kept,
//      5-6 limit of reports and its window in seconds
// Answers the ref's count, negative when it counts under the one for those beyond, or {'limited',
// retry after s, 0}.
const Script& count_script() {
  static const Script script(std::string(kLimitPart) + R"lua(
local refused = refusal(KEYS[2], ARGV[5], ARGV[6])
if refused then
  return refused
end
count(KEYS[2], ARGV[5], ARGV[6])
local ref = ARGV[1]
if redis.call('HEXISTS', KEYS[1], ref) == 0
    and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then
  ref = ARGV[3]
end
local count = redis.call('HINCRBY', KEYS[1], ref, 1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return ref == ARGV[3] and -count or count
)lua");
  return script;
}

Referrers::Answer to_answer(const Reply& reply) {
  Referrers::Answer answer;
  if (refused(reply, answer.refusal)) {
    answer.result = Referrers::Result::kLimited;
  } else if (reply.type == Reply::Type::kInteger) {
    answer.result =
        reply.integer < 0 ? Referrers::Result::kCountedAsOther : Referrers::Result::kCounted;
  }
  return answer;
}

}  // namespace

void Referrers::count(std::string_view ref, std::string_view day, std::string_view who,
                      std::function<void(Answer)> done) {
  const Limit limit = limits_.of(Limited::kTrack, who);
  if (!options_.redis_cluster) return send(ref, day, &limit, std::move(done));
  limits_.ask({limit}, true,
              [this, ref = std::string(ref), day = std::string(day),
               done = std::move(done)](const Reply& asked) {
                if (outcome(asked) != "passed") return done(to_answer(asked));
                send(ref, day, nullptr, done);
              });
}

void Referrers::send(std::string_view ref, std::string_view day, const Limit* limit,
                     std::function<void(Answer)> done) {
  if (ref.size() > kMaxRefBytes) ref = kOther;
  std::vector<std::string> keys = {referrers_key(day)};
  std::vector<std::string> arguments = {std::string(ref), std::to_string(options_.limits_referrers),
                                        std::string(kOther), std::to_string(kTtlS)};
  if (limit != nullptr) Limits::append(*limit, keys, arguments);
  redis_.script(count_script(), std::move(keys), std::move(arguments),
                [done = std::move(done)](const Reply& reply) { done(to_answer(reply)); });
}

}  // namespace signalbox::store
