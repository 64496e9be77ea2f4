// Where hostd's settings come from: flags, the environment, a file. Everything about the options
// themselves (names, types, ranges, defaults) is asked of the library.
//
// Thread: the main thread; read_settings() before there are others: the environment is read.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hostd/handles.h"

namespace hostd {

// The options that are hostd's own: sbx_log_level by name, and how many engines serve.
inline constexpr const char* kLogLevel = "log-level";
inline constexpr const char* kWorkers = "workers";

// One option that was given.
struct Setting {
  std::string option;
  std::string value;
  std::string source;  // for errors: "--listen.port", "BACKEND_PORT", "a.toml: listen.port"
};
using Layer = std::vector<Setting>;

struct Settings {
  Config config;
  std::map<std::string, std::string> values;  // of every option, hostd's own too
  bool redis_given = false;  // a flag, the environment or the file says which Redis
  std::string file;          // that was read; empty: none
  std::vector<Layer> above;  // what goes before the file, from the weakest to the strongest

  sbx_log_level log_level() const;
  size_t workers() const;
};

// Reads the settings; for each option the first of these that names it counts: the flag,
// SIGNALBOX_* in the environment, the reference backend's variables, the file, the default. Nothing
// when the process is to end, with `*exit_code`: 0 after --help or --version was answered on
// stdout, 2 after something was refused on stderr.
std::optional<Settings> read_settings(int argc, char** argv, int* exit_code);

// What the file says that it did not say before.
struct News {
  std::vector<std::string> refused;  // what is wrong with the file; the rest is empty then
  std::map<std::string, std::string> changed;  // options that can change while the engine serves
  std::vector<std::string> waiting;            // options that need a restart to change
};

// Reads `settings.file` again; flags and environment are those of the start.
News read_again(const Settings& settings);

}  // namespace hostd
