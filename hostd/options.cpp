#include "hostd/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace hostd {
namespace {

struct Setting {
  std::string option;
  std::string value;
  std::string
      source;  // for the error message: "--listen.port", "BACKEND_PORT", "a.toml: listen.port"
};
using Layer = std::vector<Setting>;

// What was given cannot be accepted; the text says what and why.
class Refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<sbx_option_info> option_table() {
  std::vector<sbx_option_info> table(sbx_option_count());
  for (size_t i = 0; i < table.size(); ++i) {
    table[i].size = sizeof(sbx_option_info);
    sbx_option_get(i, &table[i]);
  }
  return table;
}

// --- The command line ---

std::string flag_names(const std::string& option) {
  static const std::map<std::string, std::string> kShort = {
      {"listen.port", "-p,--port,"}, {"listen.host", "--host,"}, {"redis.url", "--redis,"}};
  const auto found = kShort.find(option);
  return (found == kShort.end() ? "" : found->second) + "--" + option;
}

const char* type_name(sbx_option_type type) {
  switch (type) {
    case SBX_OPTION_INTEGER:
      return "INT";
    case SBX_OPTION_BOOLEAN:
      return "BOOL";
    case SBX_OPTION_LIST:
      return "A,B,...";
    case SBX_OPTION_STRING:
      break;
  }
  return "TEXT";
}

std::string description(const sbx_option_info& option) {
  std::ostringstream text;
  text << option.doc << " [";
  if (*option.unit != '\0') text << option.unit << ", ";
  if (option.type == SBX_OPTION_INTEGER) text << option.minimum << ".." << option.maximum << ", ";
  if (std::string_view(option.name) == "redis.url") {
    text << "default: a private redis-server]";
  } else {
    text << "default " << (*option.default_value == '\0' ? "none" : option.default_value) << "]";
  }
  return text.str();
}

struct CommandLine {
  Layer flags;
  std::string file;
  std::string log_level = "info";
};

// Throws CLI::ParseError, also for --help and --version.
CommandLine read_command_line(CLI::App& app, const std::vector<sbx_option_info>& table, int argc,
                              char** argv) {
  CommandLine line;
  app.set_help_flag("-h,--help", "show this text");
  app.set_version_flag("--version", std::string("signalbox ") + sbx_version(), "show the version");
  app.get_formatter()->column_width(42);
  app.add_option("--config", line.file, "read options from this TOML or INI file")
      ->type_name("FILE");
  app.add_option("--log-level", line.log_level, "what to log: error, warning, info, debug")
      ->type_name("LEVEL")
      ->capture_default_str();
  app.footer(
      "Each option may also stand in the environment (listen.port as SIGNALBOX_LISTEN_PORT) and "
      "in\n"
      "the file (as listen.port = 3001, or as port = 3001 under [listen]). The flag goes before "
      "the\n"
      "environment, the environment before the file. Also understood: BACKEND_PORT, REDIS_HOST,\n"
      "REDIS_PORT, CORS_ORIGIN, NODE_ENV, DISABLE_JOIN_RATE_LIMIT=1.");

  std::vector<std::string> values(table.size());
  std::vector<CLI::Option*> flags;
  for (size_t i = 0; i < table.size(); ++i) {
    flags.push_back(app.add_option(flag_names(table[i].name), values[i], description(table[i]))
                        ->type_name(type_name(table[i].type)));
  }
  app.parse(argc, argv);
  for (size_t i = 0; i < table.size(); ++i) {
    if (flags[i]->count() > 0) {
      line.flags.push_back({table[i].name, values[i], std::string("--") + table[i].name});
    }
  }
  return line;
}

sbx_log_level read_log_level(const std::string& text) {
  static const std::vector<std::string> kNames = {"error", "warning", "info", "debug"};
  const auto found = std::find(kNames.begin(), kNames.end(), text);
  if (found == kNames.end()) {
    throw Refused("--log-level: '" + text + "' is not allowed: error, warning, info or debug");
  }
  return static_cast<sbx_log_level>(found - kNames.begin());
}

// --- The environment ---

Layer read_environment(const std::vector<sbx_option_info>& table) {
  Layer layer;
  for (const sbx_option_info& option : table) {
    std::string variable = std::string("SIGNALBOX_") + option.name;
    for (char& c : variable) c = c == '.' ? '_' : static_cast<char>(std::toupper(c));
    if (const char* value = std::getenv(variable.c_str())) {
      layer.push_back({option.name, value, variable});
    }
  }
  return layer;
}

// The variables of the Node backend. As there, an empty one counts as absent.
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

// --- The file ---

Layer read_file(const std::string& path, const std::vector<sbx_option_info>& table) {
  Layer layer;
  if (path.empty()) return layer;
  std::ifstream file(path);
  const std::vector<CLI::ConfigItem> items = CLI::ConfigTOML().from_config(file);
  if (!file.is_open() || file.bad()) throw Refused("--config: cannot read '" + path + "'");
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // where a section begins or ends
    const std::string name = item.fullname();
    const std::string source = path + ": " + name;
    const auto option = std::find_if(table.begin(), table.end(),
                                     [&](const auto& each) { return each.name == name; });
    // An unknown name is refused where the value is set, with the nearest name that there is.
    if (option != table.end() && option->type != SBX_OPTION_LIST && item.inputs.size() != 1) {
      throw Refused(source + ": one value is allowed; a text with spaces or commas needs quotes");
    }
    layer.push_back({name, CLI::detail::join(item.inputs, ","), source});
  }
  return layer;
}

Settings merge(const std::vector<Layer>& layers, const std::vector<sbx_option_info>& table) {
  Settings settings;
  settings.config.reset(sbx_config_new());
  if (settings.config == nullptr) throw std::bad_alloc();
  for (const sbx_option_info& option : table) {
    if (std::string_view(option.name) == "listen.host") settings.listen_host = option.default_value;
  }
  for (const Layer& layer : layers) {
    for (const Setting& setting : layer) {
      if (sbx_config_set(settings.config.get(), setting.option.c_str(), setting.value.c_str()) !=
          SBX_OK) {
        throw Refused(setting.source + ": " + sbx_last_error());
      }
      if (setting.option == "redis.url") settings.redis_given = true;
      if (setting.option == "listen.host") settings.listen_host = setting.value;
    }
  }
  return settings;
}

}  // namespace

std::optional<Settings> read_settings(int argc, char** argv, int* exit_code) {
  CLI::App app("Signalbox: a WebRTC signaling server, compatible with Socket.IO 4.", "hostd");
  try {
    const std::vector<sbx_option_info> table = option_table();
    const CommandLine line = read_command_line(app, table, argc, argv);
    const sbx_log_level log_level = read_log_level(line.log_level);
    // From the weakest to the strongest: each overrides those before it.
    Settings settings = merge({read_file(line.file, table), read_backend_environment(),
                               read_environment(table), line.flags},
                              table);
    settings.log_level = log_level;
    sbx_config_set_log_level(settings.config.get(), log_level);
    return settings;
  } catch (const CLI::Success& asked) {  // --help, --version
    *exit_code = app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::cerr << "hostd: " << error.what() << "; see hostd --help\n";
    *exit_code = 2;
  } catch (const Refused& refused) {
    std::cerr << "hostd: " << refused.what() << "\n";
    *exit_code = 2;
  }
  return std::nullopt;
}

}  // namespace hostd
