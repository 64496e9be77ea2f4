#include "engine/core/deadline_queue.h"

#include <utility>

namespace signalbox {
namespace {

// So many expire in one turn of the loop: clients that came at once, after a restart say, are
// pinged at once, and nobody else shall have to wait for all of that. Those that start again then
// lie further apart.
constexpr int kMostInATurn = 64;

}  // namespace

void Deadline::stop() {
  if (queue_ != nullptr) queue_->unlink(*this);
}

DeadlineQueue::DeadlineQueue(Loop& loop, uint64_t delay_ms, std::function<void(void*)> expired)
    : loop_(loop),
      delay_ms_(delay_ms),
      expired_(std::move(expired)),
      timer_(loop, [this] { expire(); }) {}

DeadlineQueue::~DeadlineQueue() {
  while (head_ != nullptr) unlink(*head_);
}

void DeadlineQueue::start(Deadline& deadline) {
  deadline.stop();
  deadline.queue_ = this;
  deadline.due_ms_ = loop_.now_ms() + delay_ms_;
  deadline.previous_ = tail_;
  deadline.next_ = nullptr;
  (tail_ != nullptr ? tail_->next_ : head_) = &deadline;
  tail_ = &deadline;
  // A timer that runs is due no later than the head; unlinking leaves it running, and expire() then
  // finds nothing due and waits on. Re-arming on each renewal would cost more.
  if (!timer_.active()) timer_.start(delay_ms_);
}

void DeadlineQueue::unlink(Deadline& deadline) {
  (deadline.previous_ != nullptr ? deadline.previous_->next_ : head_) = deadline.next_;
  (deadline.next_ != nullptr ? deadline.next_->previous_ : tail_) = deadline.previous_;
  deadline.queue_ = nullptr;
}

void DeadlineQueue::expire() {
  const uint64_t now = loop_.now_ms();
  // Also when a callback fails: the others are still due.
  struct Rearm {
    ~Rearm() {
      if (queue.head_ == nullptr) {
        queue.timer_.stop();
      } else {
        // 0 would be before anything else is served.
        queue.timer_.start(queue.head_->due_ms_ > now ? queue.head_->due_ms_ - now : 1);
      }
    }
    DeadlineQueue& queue;
    uint64_t now;
  } rearm{*this, now};
  for (int left = kMostInATurn; left > 0 && head_ != nullptr && head_->due_ms_ <= now; --left) {
    Deadline& due = *head_;
    unlink(due);
    expired_(due.owner_);
  }
}

}  // namespace signalbox
