#include "engine/signaling/health.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/json_document.h"
#include "engine/signaling/time_text.h"

namespace signalbox::signaling {
namespace {

// The name that clients of the reference backend look for.
constexpr const char* kService = "privydrop-backend";

std::string size_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  std::string number = std::to_string(std::round(value * 10) / 10);
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number + ' ' + kUnits[unit];
}

// CPU seconds of the process.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void add_basics(JsonObject& document, const char* status, uint64_t uptime_s,
                const std::string& environment) {
  document.set("status", status)
      .set("timestamp", iso_text(system_now_ms()))
      .set("uptime", uptime_s)
      .set("service", kService)
      .set("version", SIGNALBOX_VERSION)
      .set("environment", environment);
}

void add_system(JsonObject& document, uint64_t uptime_s) {
  struct sysinfo info {};
  sysinfo(&info);
  const uint64_t total = static_cast<uint64_t>(info.totalram) * info.mem_unit;
  const uint64_t free = static_cast<uint64_t>(info.freeram + info.bufferram) * info.mem_unit;
  utsname name{};
  uname(&name);
  JsonObject system = document.add_object("system");
  system.add_object("memory")
      .set("used", size_text(total - free))
      .set("free", size_text(free))
      .set("total", size_text(total))
      .set("percent", total == 0 ? 0 : (total - free) * 100 / total);
  const double percent = uptime_s == 0 ? 0 : cpu_seconds() * 100 / static_cast<double>(uptime_s);
  system.add_object("cpu").set("percent", static_cast<int64_t>(std::lround(percent)));
  system.set("uptime", uptime_s).set("platform", "linux").set("arch", name.machine);
}

}  // namespace

Health::Health(Loop& loop, const Options& options, store::Commands& redis,
               std::function<size_t()> connections)
    : loop_(loop),
      options_(options),
      redis_(redis),
      connections_(std::move(connections)),
      started_ms_(loop.now_ms()) {}

uint64_t Health::uptime_s() const {
  return (loop_.now_ms() - started_ms_) / 1000;
}

net::Response Health::brief() const {
  JsonDocument document;
  add_basics(document, draining_ ? "draining" : "healthy", uptime_s(), options_.environment);
  return {.status = draining_ ? 503 : 200, .body = document.text()};
}

void Health::detailed(std::function<void(net::Response)> done) const {
  const int64_t asked_ms = system_now_ms();
  redis_.command({"PING"}, [this, asked_ms, done = std::move(done)](const store::Reply& reply) {
    const bool connected = reply.type == store::Reply::Type::kText;
    JsonDocument document;
    const char* status = !connected ? "unhealthy" : draining_ ? "draining" : "healthy";
    add_basics(document, status, uptime_s(), options_.environment);
    JsonObject dependencies = document.add_object("dependencies");
    JsonObject redis = dependencies.add_object("redis");
    redis.set("status", connected ? "connected" : "disconnected");
    if (connected) redis.set("responseTime", system_now_ms() - asked_ms);
    redis.set("host", redis_.host()).set("port", redis_.port());
    dependencies.add_object("socketio").set("status", "running").set("connections", connections_());
    add_system(document, uptime_s());
    if (!connected) {
      const std::vector<std::string> errors = {"Redis connection failed"};
      document.set("errors", errors);
    }
    done({.status = connected && !draining_ ? 200 : 503, .body = document.text()});
  });
}

}  // namespace signalbox::signaling
