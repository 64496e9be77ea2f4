// The options that are hostd's own: their table, and what their texts mean.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "hostd/option_table.h"

namespace hostd {

inline constexpr const char* kLogLevel = "log.level";
inline constexpr const char* kWorkers = "workers";
inline constexpr const char* kAdminListen = "admin.listen";
inline constexpr const char* kDemo = "demo.enabled";

// In the order of the documentation.
std::span<const Option> own_options();

// The level of that name.
std::optional<sbx_log_level> log_level_of(const std::string& text);

// How many engines to start for a value of the option workers.
size_t workers_of(const std::string& text);

}  // namespace hostd
