// What a scenario did, and what went wrong.
//
// Thread: the only one.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bench {

// Durations in ns; each is known to within 3 %.
class Histogram {
 public:
  void add(uint64_t duration);
  void clear() { *this = Histogram(); }

  uint64_t count() const { return count_; }
  uint64_t largest() const { return largest_; }
  // The duration that a share of `share` (0 to 1) does not exceed; 0 when there is none.
  uint64_t quantile(double share) const;

 private:
  static constexpr unsigned kBits = 5;  // 32 buckets for each power of two
  static size_t bucket(uint64_t duration);
  static uint64_t upper(size_t bucket);

  std::array<uint32_t, (64 - kBits + 1) << kBits> counts_{};
  uint64_t count_ = 0;
  uint64_t largest_ = 0;
};

using Counts = std::map<std::string, uint64_t, std::less<>>;

struct Statistics {
  // Of plays: what a client, or some of them, do together.
  uint64_t started = 0;
  uint64_t finished = 0;
  uint64_t skipped = 0;  // not started when they were due, since too many were under way

  uint64_t sent = 0;  // numbered messages
  uint64_t received = 0;
  Counts notes;      // what may happen
  Counts errors;     // what must not
  Histogram recent;  // latencies since the last report
  Histogram all;

  void latency(uint64_t duration) {
    recent.add(duration);
    all.add(duration);
  }
};

// Appends `value` as JSON.
void append_json(std::string& out, const Counts& value);
void append_json(std::string& out, const Histogram& value);  // in µs
void append_json(std::string& out, std::string_view text);

}  // namespace bench
