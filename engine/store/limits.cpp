#include "engine/store/limits.h"

#include <utility>

#include "engine/store/commands.h"
#include "engine/store/keys.h"
#include "engine/store/room_replies.h"
#include "engine/store/script_parts.h"

namespace signalbox::store {
namespace {

// KEYS what one address has done: of each limit
// ARGV 1 whether the first is counted ('count' or not), of each limit: 2 count, 3 window in seconds
// Answers {'passed'} or {'limited', retry after s, 0}.
const Script& ask_script() {
  static const Script script(std::string(kLimitPart) + R"lua(
for i, key in ipairs(KEYS) do
  local refused = refusal(key, ARGV[2 * i], ARGV[2 * i + 1])
  if refused then
    return refused
  end
end
if ARGV[1] == 'count' then
  count(KEYS[1], ARGV[2], ARGV[3])
end
return {'passed'}
)lua");
  return script;
}

Reply passed() {
  Reply word;
  word.type = Reply::Type::kText;
  word.text = "passed";
  Reply reply;
  reply.type = Reply::Type::kArray;
  reply.elements.push_back(std::move(word));
  return reply;
}

}  // namespace

bool refused(const Reply& reply, Refusal& refusal) {
  if (outcome(reply) != "limited" || reply.elements.size() != 3) return false;
  refusal = {reply.elements[1].integer, reply.elements[2].integer};
  return true;
}

Limit Limits::of(Limited what, std::string_view who) const {
  struct Row {
    const char* name;
    int64_t Options::*count;
    int64_t Options::*window;
  };
  static constexpr Row kRows[] = {
      {"create", &Options::limits_create_count, &Options::limits_create_window},
      {"check", &Options::limits_check_count, &Options::limits_check_window},
      {"guess", &Options::limits_guess_count, &Options::limits_guess_window},
      {"track", &Options::limits_track_count, &Options::limits_track_window},
      {"ice", &Options::limits_ice_count, &Options::limits_ice_window},
      {"connect", &Options::limits_connect_count, &Options::limits_connect_window},
  };
  const Row& row = kRows[static_cast<size_t>(what)];
  return {options_.redis_cluster ? tagged_limit_key(row.name, who) : limit_key(row.name, who),
          who.empty() ? 0 : options_.*row.count, options_.*row.window};
}

void Limits::append(const Limit& limit, std::vector<std::string>& keys,
                    std::vector<std::string>& arguments) {
  keys.push_back(limit.key);
  arguments.insert(arguments.end(), {std::to_string(limit.count), std::to_string(limit.window_s)});
}

void Limits::ask(const std::vector<Limit>& limits, bool count,
                 std::function<void(const Reply&)> done) {
  std::vector<std::string> keys;
  std::vector<std::string> arguments = {count && limits.front().count > 0 ? "count" : "look"};
  for (const Limit& limit : limits) {
    if (limit.count > 0) append(limit, keys, arguments);
  }
  if (keys.empty()) return done(passed());
  redis_.script(ask_script(), std::move(keys), std::move(arguments), std::move(done));
}

void Limits::count_guess(std::string_view who, std::function<void()> counted) {
  ask({of(Limited::kGuess, who)}, true,
      [counted = std::move(counted)](const Reply&) { counted(); });
}

}  // namespace signalbox::store
