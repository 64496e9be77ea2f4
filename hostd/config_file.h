// The configuration file, TOML or INI: name = value, a line each, with sections.
//
// Thread: any.
#pragma once

#include <string>

#include "hostd/setting.h"

namespace hostd {

// What the file says; nothing when `path` is empty. What cannot be a setting goes to `faults`.
Layer read_file(const std::string& path, Faults& faults);

}  // namespace hostd
