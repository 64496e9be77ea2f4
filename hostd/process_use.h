// What this process takes of the system.
//
// Thread: any.
#pragma once

#include <optional>

namespace hostd {

struct ProcessUse {
  double start_time = 0;  // in seconds since 1970
  double cpu_seconds = 0;
  double resident_memory = 0;  // in bytes
  double virtual_memory = 0;   // in bytes
  double threads = 0;
  double open_fds = 0;
  double max_fds = 0;
};

// Nothing where there is no /proc.
std::optional<ProcessUse> read_process_use();

}  // namespace hostd
