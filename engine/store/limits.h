// How often one address may do something within a window, counted in Redis for all nodes. The
// scripts of operations ask and count themselves (kLimitPart in script_parts.h); in a cluster, and
// for what needs no operation, Limits does it beside them.
//
// Thread: the loop's.
// Owner: whoever needs it; a view of what it refers to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/options.h"

namespace signalbox::store {

class Commands;
struct Reply;

// "create", "check" and so on: as in the names of the options, and of the keys.
enum class Limited { kCreate, kCheck, kGuess, kTrack, kIce, kConnect };

struct Limit {
  std::string key;
  int64_t count = 0;  // 0: no limit
  int64_t window_s = 1;
};

// The answer to who has done too much of something; of scripts {'limited', retry after s, left}.
struct Refusal {
  int64_t retry_after_s = 0;
  int64_t attempts_left = 0;
};
// Whether a script has refused.
bool refused(const Reply& reply, Refusal& refusal);

class Limits {
 public:
  // Keeps the references.
  Limits(Commands& redis, const Options& options) : redis_(redis), options_(options) {}

  // Of `who`, an address's limit_key(); of nobody (empty) there is no limit.
  Limit of(Limited what, std::string_view who) const;

  // Appends a limit to what a script is given: its key, its count and window.
  static void append(const Limit& limit, std::vector<std::string>& keys,
                     std::vector<std::string>& arguments);

  // Whether none of some limits of one address is used up. The first is then counted, unless
  // `count` is false. `done` gets what Redis answers: refused(), or {'passed'}. It may be called
  // inside this call, when there is no limit.
  void ask(const std::vector<Limit>& limits, bool count, std::function<void(const Reply&)> done);

  // Counts a guess that turned out wrong, then calls `counted`: who is answered earlier may be at
  // another node before the count is in Redis. It may be called inside this call.
  void count_guess(std::string_view who, std::function<void()> counted);

 private:
  Commands& redis_;
  const Options& options_;
};

}  // namespace signalbox::store
