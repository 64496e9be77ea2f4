// Where hostd's settings come from: flags, the environment, a file. Everything about the options
// themselves (names, types, ranges, defaults) is asked of the library.
//
// Thread: the main thread, before there are others: the environment is read.
#pragma once

#include <optional>
#include <string>

#include "hostd/handles.h"

namespace hostd {

struct Settings {
  Config config;
  sbx_log_level log_level = SBX_LOG_INFO;
  bool redis_given = false;  // a flag, the environment or the file says which Redis
  std::string listen_host;
};

// Reads the settings; for each option the first of these that names it counts: the flag,
// SIGNALBOX_* in the environment, the reference backend's variables, the file, the default. Nothing
// when the process is to end, with `*exit_code`: 0 after --help or --version was answered on
// stdout, 2 after something was refused on stderr.
std::optional<Settings> read_settings(int argc, char** argv, int* exit_code);

}  // namespace hostd
