// hostd: serves until it is told to end.
//
// Exit codes: 0 ended as asked; 1 could not serve; 2 refused an option.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

#include "hostd/admin.h"
#include "hostd/demo_page.h"
#include "hostd/descriptor_limit.h"
#include "hostd/embedded_redis.h"
#include "hostd/logging.h"
#include "hostd/options.h"
#include "hostd/receive_buffers.h"
#include "hostd/reload.h"
#include "hostd/service_manager.h"
#include "hostd/signals.h"
#include "hostd/workers.h"

namespace hostd {
namespace {

// How many beats fall into the time within which the service manager wants to hear that we live: a
// loop that stands still for half of it does no harm.
constexpr int kBeatsOfWatchdog = 4;

std::string printable_url(const Settings& settings, uint16_t port) {
  const std::string& host = settings.values.at("listen.host");
  std::string name = host;
  if (host == "::" || host == "0.0.0.0" || settings.values.at("listen.fd") != "-1") {
    name = "localhost";
  } else if (host.find(':') != std::string::npos) {
    name = "[" + host + "]";
  }
  const char* scheme = settings.values.at("tls.cert").empty() ? "http://" : "https://";
  return scheme + name + ":" + std::to_string(port);
}

// What the engines may take to end.
std::chrono::milliseconds longest_end(const Settings& settings) {
  return std::chrono::milliseconds(std::stoll(settings.values.at("shutdown.drain")) +
                                   std::stoll(settings.values.at("shutdown.timeout")));
}

enum class End { kAsAsked, kFailed, kRefused };

// Serves until the engines have ended.
End serve(Settings& settings, const EmbeddedRedis* redis, Signals& signals) {
  std::optional<DemoPage> demo;
  if (settings.demo()) demo.emplace(settings.values.at("socketio.path"));
  Workers workers(settings.config.get(), settings.workers(), signals);
  sbx_error rc = workers.make(demo ? &*demo : nullptr);
  // Before the first client comes, who would be sent away again if this port could not be had.
  std::optional<Admin> admin;
  if (const auto address = rc == SBX_OK ? settings.admin() : std::nullopt) {
    admin.emplace(*address, workers);
    if (admin->start() != SBX_OK) {
      log(SBX_LOG_ERROR, "cannot serve operators",
          {{"error", sbx_last_error()}, {"option", kAdminListen}});
      return End::kFailed;
    }
  }
  if (rc == SBX_OK) rc = workers.start();
  if (rc != SBX_OK) {
    log(SBX_LOG_ERROR, "cannot serve", {{"error", sbx_last_error()}});
    return rc == SBX_E_INVALID ? End::kRefused : End::kFailed;
  }
  if (admin) log(SBX_LOG_INFO, "operators are served", {{"at", admin->url()}});
  const std::string listening = "listening on " + printable_url(settings, workers.port());
  std::cout << "signalbox " << listening << std::endl;
  tell_ready(listening);
  const std::chrono::microseconds watchdog = watchdog_timeout();
  if (watchdog.count() > 0) signals.beat(watchdog / kBeatsOfWatchdog);

  End end = End::kAsAsked;
  size_t serving = workers.count();
  int asked = 0;
  bool redis_lives = true;
  for (;;) {
    switch (signals.wait(redis != nullptr && redis_lives ? redis->end() : -1)) {
      case Signals::Event::kEndRequested:
        ++asked;
        tell_stopping(longest_end(settings));
        if (asked == 1) log(SBX_LOG_INFO, "ending: clients are sent away one after another");
        if (asked == 2) log(SBX_LOG_INFO, "ending: clients are sent away at once");
        workers.stop();
        break;
      case Signals::Event::kReloadRequested:
        tell_reloading();
        reload(settings, workers);
        tell_ready(listening);
        break;
      case Signals::Event::kRedisEnded:
        log(SBX_LOG_ERROR, "the embedded redis-server has ended; ending too");
        redis_lives = false;
        workers.stop();
        break;
      case Signals::Event::kBeat:
        if (workers.have_turned()) tell_alive();
        break;
      case Signals::Event::kEngineStopped:
        if (asked == 0 || !redis_lives) end = End::kFailed;
        if (--serving == 0) return end;
        if (end == End::kFailed) workers.stop();  // the others do not go on without one
        break;
    }
  }
}

int run(int argc, char** argv) {
  open_log(SBX_LOG_INFO);  // what main() catches goes there, too
  int exit_code = 0;
  std::optional<Settings> settings = read_settings(argc, argv, &exit_code);
  if (!settings) return exit_code;
  set_log_level(settings->log_level());
  fit_descriptor_limit(*settings);
  separate_receive_buffers();

  Signals signals;
  std::optional<EmbeddedRedis> redis;
  if (settings->starts_redis()) {
    redis.emplace();
    sbx_config_set(settings->config.get(), "redis.url", redis->url().c_str());
  }
  const End end = serve(*settings, redis ? &*redis : nullptr, signals);
  switch (end) {
    case End::kAsAsked:
      return 0;
    case End::kRefused:
      return 2;
    case End::kFailed:
      break;
  }
  return 1;
}

}  // namespace
}  // namespace hostd

int main(int argc, char** argv) {
  try {
    return hostd::run(argc, argv);
  } catch (const std::exception& error) {
    hostd::log(SBX_LOG_ERROR, "hostd cannot go on", {{"error", error.what()}});
    return 1;
  }
}
