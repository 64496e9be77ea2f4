#include "engine/signaling/time_text.h"

#include <chrono>
#include <cstdio>

namespace signalbox::signaling {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::sys_days;
using std::chrono::sys_time;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kFirstMs = -62'167'219'200'000;  // 0000-01-01T00:00:00Z
constexpr int64_t kLastMs = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

// Reads from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool digits(size_t count, int& value) {
    if (rest_.size() < count) return false;
    value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool accept(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::string format(const char* pattern, int year, unsigned month, unsigned day) {
  char text[16];
  snprintf(text, sizeof text, pattern, year, month, day);
  return text;
}

}  // namespace

int64_t system_now_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string day_text(int64_t ms) {
  const auto day = std::chrono::floor<days>(sys_time<milliseconds>(milliseconds(ms)));
  const std::chrono::year_month_day date(day);
  return format("%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string iso_text(int64_t ms) {
  const sys_time<milliseconds> time{milliseconds(ms)};
  const auto of_day = (time - std::chrono::floor<days>(time)).count();
  char text[24];
  snprintf(text, sizeof text, "T%02d:%02d:%02d.%03dZ", static_cast<int>(of_day / 3'600'000 % 24),
           static_cast<int>(of_day / kMinuteMs % 60), static_cast<int>(of_day / 1000 % 60),
           static_cast<int>(of_day % 1000));
  return day_text(ms) + text;
}

std::optional<int64_t> parse_iso(std::string_view text) {
  Cursor at(text);
  int year = 0;
  int month = 1;
  int day = 1;
  if (!at.digits(4, year)) return std::nullopt;
  if (at.accept('-') && !at.digits(2, month)) return std::nullopt;
  if (at.accept('-') && !at.digits(2, day)) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  int64_t ms = std::chrono::duration_cast<milliseconds>(sys_days(date).time_since_epoch()).count();
  if (at.done()) return ms;

  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t fraction = 0;
  if (!at.accept('T') || !at.digits(2, hour) || !at.accept(':') || !at.digits(2, minute)) {
    return std::nullopt;
  }
  if (at.accept(':')) {
    if (!at.digits(2, second)) return std::nullopt;
    if (at.accept('.')) {
      if (!at.at_digit()) return std::nullopt;
      int digit = 0;
      for (int64_t unit = 100; at.digits(1, digit); unit /= 10) fraction += digit * unit;
    }
  }
  if (hour > 24 || minute > 59 || second > 59 ||
      (hour == 24 && (minute != 0 || second != 0 || fraction != 0))) {
    return std::nullopt;
  }
  ms += (int64_t{hour} * 60 + minute) * kMinuteMs + int64_t{second} * 1000 + fraction;

  const bool ahead = at.accept('+');
  if (ahead || at.accept('-')) {
    int offset_hours = 0;
    int offset_minutes = 0;
    if (!at.digits(2, offset_hours) || !at.accept(':') || !at.digits(2, offset_minutes) ||
        offset_hours > 23 || offset_minutes > 59) {
      return std::nullopt;
    }
    const int64_t offset = (int64_t{offset_hours} * 60 + offset_minutes) * kMinuteMs;
    ms -= ahead ? offset : -offset;
  } else {
    at.accept('Z');
  }
  if (!at.done() || !expressible(static_cast<double>(ms))) return std::nullopt;
  return ms;
}

bool expressible(double ms) {
  return ms >= static_cast<double>(kFirstMs) && ms <= static_cast<double>(kLastMs);
}

}  // namespace signalbox::signaling
