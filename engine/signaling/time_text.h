// Points in time as text, as JavaScript writes and reads them.
//
// Thread: functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::signaling {

// Milliseconds, and seconds, since the epoch, by the system's clock.
int64_t system_now_ms();
inline double system_now_s() {
  return static_cast<double>(system_now_ms()) / 1000;
}

// "2026-01-31T12:00:00.000Z", of years 0 to 9999.
std::string iso_text(int64_t ms);

// "2026-01-31", the UTC day.
std::string day_text(int64_t ms);

// Reads ECMAScript's date-time format (ECMA-262, 21.4.1.32): a date, or a date and time with "Z" or
// an offset; a time without either counts as UTC. Nothing when it is anything else.
std::optional<int64_t> parse_iso(std::string_view text);

// Whether `ms` lies in the years 0 to 9999, which day_text() and iso_text() can express.
bool expressible(double ms);

}  // namespace signalbox::signaling
