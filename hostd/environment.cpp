#include "hostd/environment.h"

#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "hostd/option_table.h"
#include "hostd/suggestion.h"

namespace hostd {
namespace {

// Each container is told every service of its namespace
// (kubernetes.io/docs/concepts/containers/container-environment), unless enableServiceLinks is off:
// NAME_PORT is "tcp://10.0.0.1:6379" then.
bool is_service_link(const std::string& name, const std::string& value) {
  return name.ends_with("_PORT") && value.find("://") != std::string::npos;
}

bool is_of_kubernetes(const std::string& name, const std::string& value) {
  static const std::regex kService("SIGNALBOX_(\\w+_)?(SERVICE_(HOST|PORT\\w*)|PORT_\\d+_\\w+)");
  return std::regex_match(name, kService) || is_service_link(name, value);
}

}  // namespace

Layer read_environment(Faults& faults) {
  constexpr std::string_view kPrefix = "SIGNALBOX_";
  std::map<std::string, std::string> options;  // by variable
  std::vector<std::string> known;
  for (const Option& option : option_table()) {
    const std::string variable = variable_of(option);
    options[variable] = option.info.name;
    known.push_back(variable.substr(kPrefix.size()));
  }
  Layer layer;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!text.starts_with(kPrefix)) continue;
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (const auto option = options.find(name); option != options.end()) {
      layer.push_back({option->second, value, name});
    } else if (!is_of_kubernetes(name, value)) {
      faults.push_back(name + ": no option has this variable" +
                       suggestion(name.substr(kPrefix.size()), known, std::string(kPrefix)));
    }
  }
  return layer;
}

Layer read_backend_environment() {
  const auto variable = [](const char* name) {
    const char* found = std::getenv(name);
    const std::string value = found == nullptr ? "" : found;
    return is_service_link(name, value) ? "" : value;
  };
  Layer layer;
  const auto take = [&](const char* name, const char* option) {
    const std::string value = variable(name);
    if (!value.empty()) layer.push_back({option, value, name});
  };
  take("BACKEND_PORT", "listen.port");
  take("CORS_ORIGIN", "cors.origins");
  take("NODE_ENV", "environment");
  if (variable("DISABLE_JOIN_RATE_LIMIT") == "1") {
    layer.push_back({"limits.join_enabled", "false", "DISABLE_JOIN_RATE_LIMIT"});
  }
  std::string host = variable("REDIS_HOST");
  const std::string port = variable("REDIS_PORT");
  if (!host.empty() || !port.empty()) {
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    layer.push_back(
        {"redis.url",
         "redis://" + (host.empty() ? "127.0.0.1" : host) + ":" + (port.empty() ? "6379" : port),
         "REDIS_HOST, REDIS_PORT"});
  }
  return layer;
}

}  // namespace hostd
