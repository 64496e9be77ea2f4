// hostd's settings: what flags, environment, file and a socket that was passed make together.
//
// Thread: the main thread; read_settings() before there are others: the environment is read.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hostd/admin_address.h"
#include "hostd/handles.h"
#include "hostd/own_options.h"
#include "hostd/setting.h"

namespace hostd {

struct Settings {
  Config config;
  std::map<std::string, std::string> values;   // of every option, hostd's own too; normal_value()
  std::map<std::string, std::string> sources;  // of those that were given: Setting::source
  bool redis_given = false;  // a flag, the environment or the file says which Redis
  std::string file;          // that was read; empty: none
  std::vector<Layer> above;  // what goes before the file, from the weakest to the strongest

  std::optional<AdminAddress> admin() const;  // nothing: off
  sbx_log_level log_level() const;
  size_t workers() const;
  bool demo() const;          // hostd is to serve its demo page
  bool wants_tokens() const;  // clients need one
  bool starts_redis() const;  // hostd is to start one of its own
};

// Reads the settings; for each option the first of these that names it counts: a socket
// that the service manager has passed (it is the option listen.fd), the flag,
// SIGNALBOX_* in the environment, the reference backend's variables, the file, the default. Nothing
// when the process is to end, with `*exit_code`: 0 after --help, --version, --print-config or
// --check-config was answered on stdout, 2 after something was refused on stderr. Throws as
// passed_listener().
std::optional<Settings> read_settings(int argc, char** argv, int* exit_code);

// What the file says that it did not say before.
struct News {
  Faults refused;  // what is wrong with the file; the rest is empty then
  std::map<std::string, std::string> changed;  // options that can change while the engine serves
  std::vector<std::string> waiting;            // options that need a restart to change
};

// Reads `settings.file` again, and the files that it names, as a start would; flags and environment
// are those of the start.
News read_again(const Settings& settings);

}  // namespace hostd
