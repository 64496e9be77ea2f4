// What was given for an option, and where: what flags, environment and file are read to.
//
// Thread: a value.
#pragma once

#include <string>
#include <vector>

namespace hostd {

struct Setting {
  std::string option;  // a name of the table
  std::string value;
  std::string source;  // "--listen.port", "BACKEND_PORT", "a.toml:3"
};
using Layer = std::vector<Setting>;

// What is not allowed: a line each.
using Faults = std::vector<std::string>;

}  // namespace hostd
