#include "hostd/process_use.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace hostd {
namespace {

// The fields of /proc/self/stat from the third on; see proc(5). The second, the program's name, may
// hold anything.
std::vector<std::string> read_stat() {
  std::ifstream file("/proc/self/stat");
  const std::string line((std::istreambuf_iterator<char>(file)), {});
  // Nothing is found in an empty line; one more than npos is 0.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  return {std::istream_iterator<std::string>(fields), {}};
}

// When the system began, in seconds since 1970.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

double count_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator listing("/proc/self/fd", error);
  // One is the listing's own.
  return error ? 0 : static_cast<double>(std::distance(begin(listing), end(listing)) - 1);
}

}  // namespace

std::optional<ProcessUse> read_process_use() {
  const std::vector<std::string> stat = read_stat();
  constexpr size_t kFirst = 3;  // the number that proc(5) gives the first of them
  constexpr size_t kUtime = 14 - kFirst;
  constexpr size_t kStime = 15 - kFirst;
  constexpr size_t kThreads = 20 - kFirst;
  constexpr size_t kStartTime = 22 - kFirst;
  constexpr size_t kVirtual = 23 - kFirst;
  constexpr size_t kResident = 24 - kFirst;
  if (stat.size() <= kResident) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  ProcessUse use;
  use.start_time = boot_time() + std::stod(stat[kStartTime]) / ticks;
  use.cpu_seconds = (std::stod(stat[kUtime]) + std::stod(stat[kStime])) / ticks;
  use.resident_memory = std::stod(stat[kResident]) * static_cast<double>(sysconf(_SC_PAGESIZE));
  use.virtual_memory = std::stod(stat[kVirtual]);
  use.threads = std::stod(stat[kThreads]);
  use.open_fds = count_descriptors();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  use.max_fds = static_cast<double>(limit.rlim_cur);
  return use;
}

}  // namespace hostd
