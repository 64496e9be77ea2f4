#include "hostd/logging.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "hostd/logfmt.h"

namespace hostd {
namespace {

// As sd-daemon(3) wants it before a line.
std::string journal_level(int priority) {
  return fmt::format("<{}>", priority);
}

// Of spdlog patterns: the level of the line, for the journal.
class JournalPriority : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string level = journal_level(priority(message.level));
    out.append(level.data(), level.data() + level.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JournalPriority>();
  }

 private:
  static int priority(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return LOG_ERR;
    if (level == spdlog::level::warn) return LOG_WARNING;
    return level == spdlog::level::info ? LOG_INFO : LOG_DEBUG;
  }
};

// systemd.exec(5), $JOURNAL_STREAM: device and inode of the stream that the journal reads.
bool journal_listens() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status;
  return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

spdlog::level::level_enum spdlog_level(sbx_log_level level) {
  switch (level) {
    case SBX_LOG_ERROR:
      return spdlog::level::err;
    case SBX_LOG_WARNING:
      return spdlog::level::warn;
    case SBX_LOG_INFO:
      return spdlog::level::info;
    case SBX_LOG_DEBUG:
      break;
  }
  return spdlog::level::debug;
}

void write(sbx_log_level level, std::string_view line) {
  spdlog::log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void open_log(sbx_log_level level) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JournalPriority>('*').set_pattern(
      journal_listens() ? "%*level=%l %v" : "ts=%Y-%m-%dT%H:%M:%S.%e%z level=%l %v");
  auto logger =
      std::make_shared<spdlog::logger>("hostd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog_level(level));
  spdlog::set_default_logger(std::move(logger));
}

void log_fault(std::string_view fault) {
  std::cerr << (journal_listens() ? journal_level(LOG_ERR) : "") << "hostd: " << fault << "\n";
}

void set_log_level(sbx_log_level level) {
  spdlog::set_level(spdlog_level(level));
}

void log(sbx_log_level level, std::string_view event, LogFields fields) {
  std::string line = "msg=" + logfmt_value(event);
  for (const auto& [key, value] : fields) line.append(" ").append(key) += "=" + logfmt_value(value);
  write(level, line);
}

void log_engine(sbx_log_level level, std::string_view engine, std::string_view line) {
  if (engine.empty()) return write(level, line);
  write(level, fmt::format("worker={} {}", engine, line));
}

}  // namespace hostd
