// The configuration file, TOML or INI: a line each with name = value, with sections and comments.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>

#include "hostd/option_table.h"
#include "hostd/setting.h"

namespace hostd {

// What the file says; nothing when `path` is empty. What cannot be a setting goes to `faults`.
Layer read_file(const std::string& path, Faults& faults);

// The line that says this in a file, without its end; nothing when there is none that does, as of a
// text with line ends.
std::optional<std::string> file_line(const Option& option, const std::string& value);

}  // namespace hostd
