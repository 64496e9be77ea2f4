// Where the library's remarks go: to the host, one line an event, and nowhere else. A line is
// logfmt:
//
//   msg="cannot connect to Redis" link=commands to=127.0.0.1:6379 error="Connection refused"
//
// `msg` is the same for all lines of an event; what differs stands in the fields. Names of rooms
// and tokens of clients may stand in lines of level debug only, payloads in none.
//
// Thread: the loop's.
// Owner: the engine owns the one Log; everything below it holds a reference.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "engine/core/counters.h"

namespace signalbox {

// The values are part of the C ABI.
enum class LogLevel { kError = 0, kWarning = 1, kInfo = 2, kDebug = 3 };

// Refers to its text: lives as long as the call that it is an argument of.
struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, std::integral auto number)
      : key(name), value(static_cast<int64_t>(number)) {}

  std::string_view key;
  std::variant<std::string_view, int64_t> value;
};

class Log {
 public:
  using Sink = std::function<void(LogLevel level, const std::string& line)>;
  using Fields = std::initializer_list<LogField>;
  using Clock = uint64_t (*)();  // milliseconds, monotonic

  // Of one event, that many lines a window are passed on; further ones are counted, and the next
  // line that is passed on tells their number in the field `held_back`. Lines of level debug are
  // for a while that someone watches: all are passed on.
  static constexpr uint64_t kMostLines = 60;
  static constexpr uint64_t kWindowMs = 60'000;

  // `held_back`, if not null, counts lines that are not passed on; it must outlive the log.
  Log(LogLevel level, Sink sink, Counter* held_back = nullptr, Clock clock = steady_ms);

  void set_level(LogLevel level) { level_ = level; }

  // Ask before composing a field that costs something.
  bool enabled(LogLevel level) const { return sink_ && level <= level_; }

  // Passes one line on. Whatever a field holds, the line has no line end, no control character and
  // no field but these: input cannot forge one. `event` is a literal.
  void write(LogLevel level, std::string_view event, Fields fields = {});
  void error(std::string_view event, Fields fields = {}) { write(LogLevel::kError, event, fields); }
  void warning(std::string_view event, Fields fields = {}) {
    write(LogLevel::kWarning, event, fields);
  }
  void info(std::string_view event, Fields fields = {}) { write(LogLevel::kInfo, event, fields); }
  void debug(std::string_view event, Fields fields = {}) { write(LogLevel::kDebug, event, fields); }

 private:
  struct Window {
    uint64_t begin_ms;
    uint64_t lines;
  };

  static uint64_t steady_ms();
  bool admit(std::string_view event, uint64_t& held_back);

  LogLevel level_;
  Sink sink_;
  Counter* held_back_;
  Clock clock_;
  std::map<std::string_view, Window> windows_;  // by event
};

}  // namespace signalbox
