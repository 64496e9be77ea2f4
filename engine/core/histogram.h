// How long something took, counted by how long: for percentiles over any span of time, which
// whoever reads the counts from time to time can tell.
//
// Thread: the loop's adds; any thread may read, and may then see one time in part.
// Owner: Counters.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "engine/core/counter.h"

namespace signalbox {

class Histogram {
 public:
  using Clock = std::chrono::steady_clock;

  // In seconds: from a relay within a node to a Redis that has all but timed out.
  static constexpr double kBounds[] = {0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001,
                                       0.0025,  0.005,    0.01,    0.025,  0.05,    0.1,    0.25,
                                       0.5,     1.0,      2.5,     5.0,    10.0};
  static constexpr size_t kBuckets = std::size(kBounds) + 1;

  void add_since(Clock::time_point begin) { add(Clock::now() - begin); }
  void add(Clock::duration taken) {
    const double seconds = std::chrono::duration<double>(taken).count();
    const auto* bound = std::lower_bound(std::begin(kBounds), std::end(kBounds), seconds);
    ++buckets_[static_cast<size_t>(bound - std::begin(kBounds))];
    nanoseconds_ +=
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count());
  }

  // How many took up to kBounds[i], and more than the bound before; the last: more than all bounds.
  uint64_t bucket(size_t i) const { return buckets_[i]; }
  // What all of them took together, in seconds.
  double sum() const { return static_cast<double>(nanoseconds_) / 1e9; }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter nanoseconds_;
};

}  // namespace signalbox
