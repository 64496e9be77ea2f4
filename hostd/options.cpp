#include "hostd/options.h"

#include <iostream>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "hostd/command_line.h"
#include "hostd/config_file.h"
#include "hostd/demo_page.h"
#include "hostd/environment.h"
#include "hostd/logging.h"
#include "hostd/option_table.h"
#include "hostd/print_config.h"
#include "hostd/service_manager.h"

namespace hostd {
namespace {

// Why it is refused; "" when it was taken.
std::string set(Settings& settings, const Setting& setting) {
  const auto& [name, value, source] = setting;
  const Option& option = *find_option(name);
  if (option.own) {
    const std::string refusal = refusal_of(option, value);
    if (!refusal.empty()) return refusal;
  } else if (sbx_config_set(settings.config.get(), name.c_str(), value.c_str()) != SBX_OK) {
    return sbx_last_error();
  }
  settings.values[name] = normal_value(option, value);
  settings.sources[name] = source;
  if (name == "redis.url") settings.redis_given = true;
  return {};
}

// A fault that begins with "option NAME: ", behind where that option was given.
std::string with_source(const Settings& settings, const std::string& fault) {
  constexpr std::string_view kBegin = "option ";
  if (!fault.starts_with(kBegin)) return fault;
  const size_t end = fault.find(':');
  const auto source = settings.sources.find(fault.substr(kBegin.size(), end - kBegin.size()));
  return source == settings.sources.end() ? fault : source->second + ": " + fault;
}

// What options of hostd's own, or those that hostd fills in, must not be together.
void check_together(const Settings& settings, Faults& faults) {
  if (settings.demo()) {
    if (!DemoPage::built()) {
      faults.push_back(
          with_source(settings, std::string("option ") + kDemo +
                                    ": this hostd was built without the page; to build "
                                    "it with: npm ci --prefix hostd/demo"));
    } else if (settings.values.at("signaling.enabled") != "true") {
      faults.push_back(
          with_source(settings, std::string("option ") + kDemo + ": needs signaling.enabled"));
    } else if (settings.wants_tokens()) {
      faults.push_back(with_source(settings, std::string("option ") + kDemo +
                                                 ": does not go with auth.jwt_*: the page has no "
                                                 "token, and would be refused every room"));
    }
  }
  const std::optional<AdminAddress> admin = settings.admin();
  const bool has_port = settings.values.at("listen.fd") == "-1";  // or listen.port is not used
  if (admin && admin->port != 0 && has_port &&
      std::to_string(admin->port) == settings.values.at("listen.port")) {
    faults.push_back(with_source(settings, std::string("option ") + kAdminListen +
                                               ": needs a port of its own, not listen.port"));
  }
  // The one that hostd would start is no cluster.
  if (!settings.redis_given && settings.values.at("redis.cluster") == "true") {
    faults.push_back(
        with_source(settings, "option redis.cluster: needs redis.url, a node of the cluster"));
  }
}

// What only the library knows about options together, and about the files that they name.
void check_by_library(const Settings& settings, Faults& faults) {
  const sbx_error rc = sbx_config_check(settings.config.get());
  if (rc == SBX_OK) return;
  if (rc != SBX_E_INVALID) throw std::runtime_error(sbx_last_error());
  std::istringstream lines(sbx_last_error());
  for (std::string line; std::getline(lines, line);) faults.push_back(with_source(settings, line));
}

Layer read_passed_socket() {
  const int fd = passed_listener();
  return fd < 0 ? Layer() : Layer{{"listen.fd", std::to_string(fd), "LISTEN_FDS"}};
}

// What the file and what is above it make; what they say that is not allowed goes to `faults`.
Settings merge(std::string file, std::vector<Layer> above, Faults& faults) {
  Settings settings;
  settings.config.reset(sbx_config_new());
  if (settings.config == nullptr) throw std::bad_alloc();
  for (const Option& option : option_table()) {
    settings.values[option.info.name] = option.info.default_value;
  }
  const auto take = [&](const Layer& layer) {
    for (const Setting& setting : layer) {
      const std::string refusal = set(settings, setting);
      if (!refusal.empty()) faults.push_back(setting.source + ": " + refusal);
    }
  };
  take(read_file(file, faults));
  for (const Layer& layer : above) take(layer);
  if (!settings.values["redis.sentinels"].empty()) settings.redis_given = true;
  if (!settings.sources.contains(kDemo) && DemoPage::built() && settings.starts_redis() &&
      !settings.wants_tokens()) {
    settings.values[kDemo] = "true";
  }
  check_together(settings, faults);
  settings.file = std::move(file);
  settings.above = std::move(above);
  return settings;
}

}  // namespace

std::optional<AdminAddress> Settings::admin() const {
  return read_admin_address(values.at(kAdminListen));
}

sbx_log_level Settings::log_level() const {
  return log_level_of(values.at(kLogLevel)).value_or(SBX_LOG_INFO);
}

size_t Settings::workers() const {
  return workers_of(values.at(kWorkers));
}

bool Settings::demo() const {
  return values.at(kDemo) == "true";
}

bool Settings::wants_tokens() const {
  return !values.at("auth.jwt_hs256_key").empty() || !values.at("auth.jwt_rs256_key").empty();
}

bool Settings::starts_redis() const {
  return !redis_given && values.at("signaling.enabled") == "true";
}

std::optional<Settings> read_settings(int argc, char** argv, int* exit_code) {
  Faults faults;
  std::optional<Settings> settings;
  std::optional<CommandLine> line = read_command_line(argc, argv, faults);
  if (line) {
    std::vector<Layer> above = {read_backend_environment(), read_environment(faults),
                                std::move(line->flags), read_passed_socket()};
    settings = merge(std::move(line->file), std::move(above), faults);
    check_by_library(*settings, faults);
  }
  for (const std::string& fault : faults) log_fault(fault);
  *exit_code = faults.empty() ? 0 : 2;
  if (!line || !faults.empty()) return std::nullopt;
  if (line->print_config) print_config(std::cout, *settings);
  if (line->print_config || line->check_config) return std::nullopt;
  sbx_config_set_log_level(settings->config.get(), settings->log_level());
  return settings;
}

News read_again(const Settings& settings) {
  News news;
  const Settings now = merge(settings.file, settings.above, news.refused);
  try {
    check_by_library(now, news.refused);
  } catch (const std::exception& error) {  // a lack that may pass does not end what serves
    news.refused.push_back(error.what());
  }
  if (!news.refused.empty()) return news;
  for (const auto& [name, value] : now.values) {
    if (value == settings.values.at(name)) continue;
    if (find_option(name)->info.live != 0) {
      news.changed[name] = value;
    } else {
      news.waiting.push_back(name);
    }
  }
  return news;
}

}  // namespace hostd
