// Where the library's remarks go: to the host, and nowhere else.
//
// Thread: the loop's.
// Owner: the engine owns the one Log; everything below it holds a reference.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace signalbox {

// The values are part of the C ABI.
enum class LogLevel { kError = 0, kWarning = 1, kInfo = 2, kDebug = 3 };

class Log {
 public:
  using Sink = std::function<void(LogLevel level, const std::string& line)>;
  Log(LogLevel level, Sink sink) : level_(level), sink_(std::move(sink)) {}

  void set_level(LogLevel level) { level_ = level; }

  // Ask before composing a line that costs something.
  bool enabled(LogLevel level) const { return sink_ && level <= level_; }

  // Passes one line on. Control characters are escaped here, so that no input can forge a line.
  void write(LogLevel level, std::string_view line) const;
  void error(std::string_view line) const { write(LogLevel::kError, line); }
  void warning(std::string_view line) const { write(LogLevel::kWarning, line); }
  void info(std::string_view line) const { write(LogLevel::kInfo, line); }
  void debug(std::string_view line) const { write(LogLevel::kDebug, line); }

 private:
  LogLevel level_;
  Sink sink_;
};

}  // namespace signalbox
