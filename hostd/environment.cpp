#include "hostd/environment.h"

#include <cstdlib>
#include <string>

#include "hostd/option_table.h"

namespace hostd {

Layer read_environment() {
  Layer layer;
  for (const Option& option : option_table()) {
    const std::string variable = variable_of(option);
    if (const char* value = std::getenv(variable.c_str())) {
      layer.push_back({option.info.name, value, variable});
    }
  }
  return layer;
}

Layer read_backend_environment() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
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
