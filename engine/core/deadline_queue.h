// Deadlines that all lie the same time ahead, so that the queue of them is first-in first-out:
// starting, renewing and dropping one costs O(1) whatever their number, and one timer serves all.
// Of many that are due together some expire later than the others, so that the loop is not held up.
//
// Thread: the loop's.
// Owner: the object that waits embeds a Deadline and owns it; destroying it drops it from its
// queue.
//   The queue must outlive the deadlines in it.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/core/loop.h"

namespace signalbox {

class DeadlineQueue;

// One waiting deadline: a link of its queue's list.
class Deadline {
 public:
  explicit Deadline(void* owner) : owner_(owner) {}
  ~Deadline() { stop(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void stop();
  bool active() const { return queue_ != nullptr; }

 private:
  friend class DeadlineQueue;
  void* owner_;
  DeadlineQueue* queue_ = nullptr;
  Deadline* previous_ = nullptr;
  Deadline* next_ = nullptr;
  uint64_t due_ms_ = 0;
};

class DeadlineQueue {
 public:
  // `expired` gets the owner of a deadline that has passed; the deadline is already stopped and may
  // be started again or destroyed there.
  DeadlineQueue(Loop& loop, uint64_t delay_ms, std::function<void(void* owner)> expired);
  ~DeadlineQueue();

  // Makes `deadline` due `delay_ms` from now; one that runs already, here or in another queue,
  // moves.
  void start(Deadline& deadline);

  uint64_t delay_ms() const { return delay_ms_; }
  bool empty() const { return head_ == nullptr; }

 private:
  friend class Deadline;
  void unlink(Deadline& deadline);
  void expire();

  Loop& loop_;
  const uint64_t delay_ms_;
  std::function<void(void*)> expired_;
  Timer timer_;
  Deadline* head_ = nullptr;
  Deadline* tail_ = nullptr;
};

}  // namespace signalbox
