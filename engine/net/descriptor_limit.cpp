#include "engine/net/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace signalbox::net {
namespace {

// libwebsockets keeps a table of this many pointers, whatever the system would allow.
constexpr rlim_t kMostDescriptors = 1 << 20;
// Of one server with its loop and its connections to Redis.
constexpr size_t kOfServer = 32;

size_t count_open() {
  std::error_code error;
  size_t count = 0;
  for (std::filesystem::directory_iterator each("/proc/self/fd", error), end; !error && each != end;
       each.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

int descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return static_cast<int>(kMostDescriptors);
  return static_cast<int>(std::min(limit.rlim_cur, kMostDescriptors));
}

size_t most_connections(size_t descriptors_each, size_t servers) {
  const auto limit = static_cast<size_t>(descriptor_limit());
  return (limit - std::min(limit, count_open() + kOfServer * servers)) / descriptors_each;
}

}  // namespace signalbox::net
