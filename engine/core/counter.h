// One count of the engine's, and one number that also goes down.
//
// Thread: the loop's adds; any thread may read.
// Owner: Counters.
#pragma once

#include <atomic>
#include <cstdint>

namespace signalbox {

class Counter {
 public:
  Counter& operator++() { return *this += 1; }
  // Only one thread adds: it needs no read-modify-write that others see as a whole.
  Counter& operator+=(uint64_t more) {
    value_.store(*this + more, std::memory_order_relaxed);
    return *this;
  }
  operator uint64_t() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  operator uint64_t() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace signalbox
