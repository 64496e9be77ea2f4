// What Redis and RedisCluster do about commands that fail: those that never get an answer of Redis
// are answered by us, and answers that are errors are logged, not too often.
//
// Thread: the loop's.
// Owner: a std::shared_ptr, for a callback may destroy the owner of that.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/store/commands.h"

namespace signalbox::store {

// Why there is no answer.
inline constexpr const char* kRedisAway = "Redis is not reachable";
inline constexpr const char* kRedisLate = "Redis did not answer in time";
inline constexpr const char* kRedisBusy = "too many commands are waiting for Redis";
inline constexpr const char* kRedisAstray = "Redis keeps redirecting the command";
inline constexpr const char* kRedisEnding = "the engine is stopping";

// The answer that is none; `text` says why.
Reply unavailable(const char* text);

class CommandFailures : public std::enable_shared_from_this<CommandFailures> {
 public:
  // Keeps references to both.
  CommandFailures(Loop& loop, Log& log) : loop_(loop), log_(log) {}

  // Answers with kUnavailable: in a later turn, for a caller that is inside a call; or at the next
  // answer_now().
  void later(Commands::Done done, const char* text);
  void add(Commands::Done done, const char* text);
  // Answers what is there. No more: a callback may send again, and is refused again.
  void answer_now() { answer(failures_.size()); }
  // And what those callbacks sent, for nobody will come back for it.
  void answer_all();

  void log_error(const std::string& text);

 private:
  struct Failure {
    Commands::Done done;
    const char* text;
  };

  void answer(size_t count);

  Loop& loop_;
  Log& log_;
  std::deque<Failure> failures_;
};

}  // namespace signalbox::store
