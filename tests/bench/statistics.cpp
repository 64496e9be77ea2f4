#include "tests/bench/statistics.h"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace bench {

void Histogram::add(uint64_t duration) {
  ++counts_[bucket(duration)];
  ++count_;
  largest_ = std::max(largest_, duration);
}

uint64_t Histogram::quantile(double share) const {
  const auto wanted = static_cast<uint64_t>(share * static_cast<double>(count_));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > wanted) return std::min(upper(i), largest_);
  }
  return largest_;
}

size_t Histogram::bucket(uint64_t duration) {
  const auto width = static_cast<unsigned>(std::bit_width(duration));
  if (width <= kBits) return static_cast<size_t>(duration);
  const unsigned shift = width - kBits - 1;
  return ((shift + 1) << kBits) + static_cast<size_t>(duration >> shift) - (size_t{1} << kBits);
}

uint64_t Histogram::upper(size_t bucket) {
  const size_t shift = bucket >> kBits;
  if (shift == 0) return bucket;
  const uint64_t mantissa = (bucket & ((1u << kBits) - 1)) + (1u << kBits) + 1;
  return (mantissa << (shift - 1)) - 1;
}

void append_json(std::string& out, const Counts& value) {
  out += '{';
  for (const auto& [name, count] : value) {
    if (out.back() != '{') out += ',';
    append_json(out, name);
    out += ':' + std::to_string(count);
  }
  out += '}';
}

void append_json(std::string& out, const Histogram& value) {
  const auto microseconds = [](uint64_t duration) { return std::to_string(duration / 1000); };
  out += "{\"count\":" + std::to_string(value.count());
  out += ",\"p50\":" + microseconds(value.quantile(0.5));
  out += ",\"p99\":" + microseconds(value.quantile(0.99));
  out += ",\"p999\":" + microseconds(value.quantile(0.999));
  out += ",\"max\":" + microseconds(value.largest()) + '}';
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char each : text) {
    if (each == '"' || each == '\\') out += '\\';
    out += static_cast<unsigned char>(each) < ' ' ? ' ' : each;
  }
  out += '"';
}

}  // namespace bench
