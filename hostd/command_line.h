// The command line: a flag for each option, and those that say what hostd is to do.
//
// Thread: the main thread.
#pragma once

#include <optional>
#include <string>

#include "hostd/option_table.h"
#include "hostd/setting.h"

namespace hostd {

struct CommandLine {
  Layer flags;
  std::string file;           // of --config; empty: none
  bool check_config = false;  // only see whether hostd could serve
  bool print_config = false;  // the same, and show the settings
};

// "-p,--port,--listen.port" for listen.port; the one with its name is the last.
std::string flag_names(const Option& option);

// What is not allowed goes to `faults`. Nothing when that leaves none to read, or when --help or
// --version was answered on stdout.
std::optional<CommandLine> read_command_line(int argc, char** argv, Faults& faults);

}  // namespace hostd
