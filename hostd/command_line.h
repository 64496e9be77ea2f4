// The command line: a flag for each option, and those that say what hostd is to do.
//
// Thread: the main thread.
#pragma once

#include <optional>
#include <string>

#include "hostd/setting.h"

namespace hostd {

struct CommandLine {
  Layer flags;
  std::string file;  // of --config; empty: none
};

// What is not allowed goes to `faults`. Nothing when --help or --version was answered on stdout.
std::optional<CommandLine> read_command_line(int argc, char** argv, Faults& faults);

}  // namespace hostd
