// Counts by day where visitors come from.
//
// Thread: the loop's.
// Owner: the engine. Destroying its Redis answers what is pending with false first.
#pragma once

#include <functional>
#include <string_view>

#include "engine/store/limits.h"

namespace signalbox::store {

class Commands;

class Referrers {
 public:
  // Keeps the references, which must outlive it.
  Referrers(Commands& redis, const Options& options) : redis_(redis), options_(options) {}

  // kUnavailable: Redis is away, slow or refuses.
  enum class Result { kCounted, kCountedAsOther, kLimited, kUnavailable };
  struct Answer {
    Result result = Result::kUnavailable;
    Refusal refusal = {};  // kLimited
  };

  // Counts `ref` once under `day` (YYYY-MM-DD). Clients choose the names, so a day holds as many of
  // them as the option limits.referrers says, with up to 256 bytes each; all others count under
  // "(other)". `who`: the address whose limit counts it; empty: not limited. `done` is called
  // exactly once, never inside this call.
  void count(std::string_view ref, std::string_view day, std::string_view who,
             std::function<void(Answer)> done);

 private:
  // With the limit, when it is asked for in the same script.
  void send(std::string_view ref, std::string_view day, const Limit* limit,
            std::function<void(Answer)> done);

  Commands& redis_;
  const Options& options_;
  Limits limits_{redis_, options_};
};

}  // namespace signalbox::store
