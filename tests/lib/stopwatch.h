// How long something took, where a test has a bound for it. What other processes keep a machine
// busy with must not break a bound: they get as much time again as the processors have worked
// meanwhile. On a quiet machine that is next to nothing, and the bound stands.
//
// Thread: any. Owner: a value.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

namespace signalbox::test {

class Stopwatch {
 public:
  uint64_t elapsed_ms() const {
    const auto elapsed = std::chrono::steady_clock::now() - begin_;
    return static_cast<uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(elapsed).count());
  }
  // Of all processors together, since the beginning.
  uint64_t busy_ms() const { return machine_busy_ms() - busy_at_begin_ms_; }

 private:
  // The first line of /proc/stat, proc(5): ticks spent as user, nice, system, idle, iowait, irq,
  // softirq, steal.
  static uint64_t machine_busy_ms() {
    std::ifstream file("/proc/stat");
    std::string name;
    uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    file >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
    const auto ticks_a_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    return (user + nice + system + irq + softirq + steal) * 1000 / ticks_a_second;
  }

  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  uint64_t busy_at_begin_ms_ = machine_busy_ms();
};

}  // namespace signalbox::test

// At least `least` ms, and `most` with what the machine was busy. For CMocka.
#define assert_took(stopwatch, least, most)                               \
  do {                                                                    \
    const uint64_t busy_ms = (stopwatch).busy_ms();                       \
    assert_in_range((stopwatch).elapsed_ms(), (least), (most) + busy_ms); \
  } while (false)
