#include "engine/store/command_failures.h"

#include <utility>

namespace signalbox::store {
Reply unavailable(const char* text) {
  Reply reply;
  reply.text = text;
  return reply;
}

void CommandFailures::later(Commands::Done done, const char* text) {
  // First: without memory for this nothing is kept that nobody would answer.
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->answer(1);
  });
  add(std::move(done), text);
}

void CommandFailures::add(Commands::Done done, const char* text) {
  failures_.push_back({std::move(done), text});
}

void CommandFailures::answer_all() {
  const auto keep = shared_from_this();
  while (!failures_.empty()) answer_now();
}

// One by one off the member, so that a callback that destroys our owner finds the others answered
// when that returns.
void CommandFailures::answer(size_t count) {
  const auto keep = shared_from_this();
  for (; count > 0 && !failures_.empty(); --count) {
    const Failure failure = std::move(failures_.front());
    failures_.pop_front();
    loop_.guard([&] { failure.done(unavailable(failure.text)); });
  }
}

void CommandFailures::log_error(const std::string& text) {
  log_.warning("a Redis command failed", {{"error", text}});
}

}  // namespace signalbox::store
