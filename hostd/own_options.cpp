#include "hostd/own_options.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "hostd/admin_address.h"

namespace hostd {
namespace {

constexpr int64_t kMostWorkers = 64;  // engines that can share a port

constexpr TextRule kLevel = {"error, warning, info or debug", [](const std::string& text) {
                               return log_level_of(text).has_value();
                             }};

constexpr TextRule kAdminAddress = {"a port, or host:port", [](const std::string& text) {
                                      return text.empty() || read_admin_address(text).has_value();
                                    }};

constexpr Option make(const char* name, sbx_option_type type, const char* default_value,
                      const char* doc) {
  return {{sizeof(sbx_option_info), name, type, "", 0, 0, default_value, doc, 0, 0}, nullptr, true};
}

constexpr Option boolean(const char* name, const char* default_value, const char* doc) {
  return make(name, SBX_OPTION_BOOLEAN, default_value, doc);
}

constexpr Option integer(const char* name, int64_t minimum, int64_t maximum,
                         const char* default_value, const char* doc) {
  Option option = make(name, SBX_OPTION_INTEGER, default_value, doc);
  option.info.minimum = minimum;
  option.info.maximum = maximum;
  return option;
}

constexpr Option text(const char* name, const TextRule& rule, const char* default_value,
                      const char* doc) {
  Option option = make(name, SBX_OPTION_STRING, default_value, doc);
  option.rule = &rule;
  return option;
}

// One that reload() has come into force.
constexpr Option live(Option option) {
  option.info.live = 1;
  return option;
}

constexpr Option kOwn[] = {
    live(text(kLogLevel, kLevel, "info", "what to log: error, warning, info or debug")),
    integer(kWorkers, 0, kMostWorkers, "1",
            "engines that share the port, each on a thread of its own; 0: as many as the process "
            "may use CPUs"),
    text(kAdminListen, kAdminAddress, "",
         "where operators find status page and /metrics: a port, of 127.0.0.1, or host:port; never "
         "that of clients; empty: nowhere"),
    boolean(kDemo, "false",
            "serve, at /, a page to try it with: it sends files from browser to browser"),
};

size_t allowed_cpus() {
  constexpr auto kMost = static_cast<size_t>(kMostWorkers);
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // It fails only where there are more CPUs than fit: enough for any number of workers.
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return kMost;
  return std::min(static_cast<size_t>(CPU_COUNT(&allowed)), kMost);
}

}  // namespace

std::span<const Option> own_options() {
  return kOwn;
}

std::optional<sbx_log_level> log_level_of(const std::string& text) {
  constexpr const char* kLevels[] = {"error", "warning", "info", "debug"};
  const auto found = std::find(std::begin(kLevels), std::end(kLevels), text);
  if (found == std::end(kLevels)) return std::nullopt;
  return static_cast<sbx_log_level>(found - std::begin(kLevels));
}

size_t workers_of(const std::string& text) {
  const size_t count = std::stoul(text);
  return count == 0 ? allowed_cpus() : count;
}

}  // namespace hostd
