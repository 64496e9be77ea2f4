#include "hostd/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace hostd {
namespace {

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

}  // namespace

void open_log(sbx_log_level level) {
  auto logger =
      std::make_shared<spdlog::logger>("hostd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_level(spdlog_level(level));
  spdlog::set_default_logger(std::move(logger));
}

void set_log_level(sbx_log_level level) {
  spdlog::set_level(spdlog_level(level));
}

void log(sbx_log_level level, std::string_view line) {
  spdlog::log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace hostd
