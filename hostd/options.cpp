#include "hostd/options.h"

#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

namespace hostd {
namespace {

constexpr const char* kDefaultLogLevel = "info";
constexpr const char* kDefaultWorkers = "1";
constexpr size_t kMostWorkers = 64;  // engines that can share a port

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
    text << "default " << (*option.default_value == '\0' ? "none" : option.default_value)
         << (option.live != 0 ? ", live]" : "]");
  }
  return text.str();
}

struct CommandLine {
  Layer flags;
  std::string file;
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
  std::string log_level = kDefaultLogLevel;
  const CLI::Option* log_level_flag = app.add_option(std::string("--") + kLogLevel, log_level,
                                                     "what to log: error, warning, info, debug")
                                          ->type_name("LEVEL")
                                          ->capture_default_str();
  app.footer(
      "Each option may also stand in the environment (listen.port as SIGNALBOX_LISTEN_PORT) and "
      "in\n"
      "the file (as listen.port = 3001, or as port = 3001 under [listen]). The flag goes before "
      "the\n"
      "environment, the environment before the file. Also understood: BACKEND_PORT, REDIS_HOST,\n"
      "REDIS_PORT, CORS_ORIGIN, NODE_ENV, DISABLE_JOIN_RATE_LIMIT=1.\n"
      "On SIGHUP the file is read again; options marked \"live\" then change at once. So are\n"
      "certificate and key.");

  std::string workers;
  const CLI::Option* workers_flag =
      app.add_option("--workers", workers,
                     "engines that share the port, each on a thread of its own; 0: as many as the "
                     "process may use CPUs [0..64, default 1]")
          ->type_name("INT");

  std::vector<std::string> values(table.size());
  std::vector<CLI::Option*> flags;
  for (size_t i = 0; i < table.size(); ++i) {
    flags.push_back(app.add_option(flag_names(table[i].name), values[i], description(table[i]))
                        ->type_name(type_name(table[i].type)));
  }
  app.parse(argc, argv);
  if (log_level_flag->count() > 0) {
    line.flags.push_back({kLogLevel, log_level, std::string("--") + kLogLevel});
  }
  if (workers_flag->count() > 0) line.flags.push_back({kWorkers, workers, "--workers"});
  for (size_t i = 0; i < table.size(); ++i) {
    if (flags[i]->count() > 0) {
      line.flags.push_back({table[i].name, values[i], std::string("--") + table[i].name});
    }
  }
  return line;
}

// --- The log level ---

constexpr const char* kLogLevels[] = {"error", "warning", "info", "debug"};

std::optional<sbx_log_level> log_level_of(const std::string& text) {
  const auto found = std::find(std::begin(kLogLevels), std::end(kLogLevels), text);
  if (found == std::end(kLogLevels)) return std::nullopt;
  return static_cast<sbx_log_level>(found - std::begin(kLogLevels));
}

// --- The workers ---

size_t allowed_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // It fails only where there are more CPUs than fit: enough for any number of workers.
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return kMostWorkers;
  return std::min(static_cast<size_t>(CPU_COUNT(&allowed)), kMostWorkers);
}

std::optional<size_t> workers_of(const std::string& text) {
  const bool number =
      !text.empty() && text.size() <= 2 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!number || std::stoul(text) > kMostWorkers) return std::nullopt;
  return text == "0" ? allowed_cpus() : std::stoul(text);
}

// --- The environment ---

Layer read_environment(const std::vector<sbx_option_info>& table) {
  Layer layer;
  const auto take = [&layer](const char* option) {
    std::string variable = std::string("SIGNALBOX_") + option;
    for (char& c : variable) c = std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
    if (const char* value = std::getenv(variable.c_str())) {
      layer.push_back({option, value, variable});
    }
  };
  take(kLogLevel);
  take(kWorkers);
  for (const sbx_option_info& option : table) take(option.name);
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

// What cannot be a setting goes to `refused`.
Layer read_file(const std::string& path, const std::vector<sbx_option_info>& table,
                std::vector<std::string>& refused) {
  Layer layer;
  if (path.empty()) return layer;
  std::ifstream file(path);
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(file);
  } catch (const CLI::Error& error) {
    refused.push_back(path + ": " + error.what());
  }
  if (!file.is_open() || file.bad()) refused.push_back("--config: cannot read '" + path + "'");
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // where a section begins or ends
    const std::string name = item.fullname();
    const std::string source = path + ": " + name;
    const auto option = std::find_if(table.begin(), table.end(),
                                     [&](const auto& each) { return each.name == name; });
    // An unknown name is refused where the value is set, with the nearest name that there is.
    if (option != table.end() && option->type != SBX_OPTION_LIST && item.inputs.size() != 1) {
      refused.push_back(source +
                        ": one value is allowed; a text with spaces or commas needs quotes");
      continue;
    }
    layer.push_back({name, CLI::detail::join(item.inputs, ","), source});
  }
  return layer;
}

// --- All together ---

// What the file and what is above it make; what they say that is not allowed goes to `refused`.
Settings merge(std::string file, std::vector<Layer> above,
               const std::vector<sbx_option_info>& table, std::vector<std::string>& refused) {
  Settings settings;
  settings.config.reset(sbx_config_new());
  if (settings.config == nullptr) throw std::bad_alloc();
  settings.values[kLogLevel] = kDefaultLogLevel;
  settings.values[kWorkers] = kDefaultWorkers;
  for (const sbx_option_info& option : table) settings.values[option.name] = option.default_value;
  const auto take = [&](const Setting& setting) {
    const auto& [option, value, source] = setting;
    if (option == kLogLevel) {
      if (!log_level_of(value)) {
        refused.push_back(source + ": '" + value +
                          "' is not allowed: error, warning, info or debug");
        return;
      }
    } else if (option == kWorkers) {
      if (!workers_of(value)) {
        refused.push_back(source + ": option workers: '" + value +
                          "' is not allowed; an integer from 0 to " + std::to_string(kMostWorkers));
        return;
      }
    } else if (sbx_config_set(settings.config.get(), option.c_str(), value.c_str()) != SBX_OK) {
      refused.push_back(source + ": " + sbx_last_error());
      return;
    }
    settings.values[option] = value;
    if (option == "redis.url" || option == "redis.sentinels") settings.redis_given = true;
  };
  for (const Setting& setting : read_file(file, table, refused)) take(setting);
  for (const Layer& layer : above) {
    for (const Setting& setting : layer) take(setting);
  }
  // The one that hostd would start is no cluster.
  const std::set<std::string> off = {"false", "0", "no", "off"};
  if (!settings.redis_given && !off.contains(settings.values["redis.cluster"])) {
    refused.push_back("option redis.cluster: needs redis.url, a node of the cluster");
  }
  settings.file = std::move(file);
  settings.above = std::move(above);
  return settings;
}

}  // namespace

sbx_log_level Settings::log_level() const {
  return log_level_of(values.at(kLogLevel)).value_or(SBX_LOG_INFO);
}

size_t Settings::workers() const {
  return workers_of(values.at(kWorkers)).value_or(1);
}

std::optional<Settings> read_settings(int argc, char** argv, int* exit_code) {
  CLI::App app("Signalbox: a WebRTC signaling server, compatible with Socket.IO 4.", "hostd");
  try {
    const std::vector<sbx_option_info> table = option_table();
    CommandLine line = read_command_line(app, table, argc, argv);
    std::vector<std::string> refused;
    Settings settings =
        merge(std::move(line.file),
              {read_backend_environment(), read_environment(table), std::move(line.flags)}, table,
              refused);
    if (refused.empty()) {
      sbx_config_set_log_level(settings.config.get(), settings.log_level());
      return settings;
    }
    for (const std::string& each : refused) std::cerr << "hostd: " << each << "\n";
    *exit_code = 2;
  } catch (const CLI::Success& asked) {  // --help, --version
    *exit_code = app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::cerr << "hostd: " << error.what() << "; see hostd --help\n";
    *exit_code = 2;
  }
  return std::nullopt;
}

News read_again(const Settings& settings) {
  News news;
  const std::vector<sbx_option_info> table = option_table();
  const Settings now = merge(settings.file, settings.above, table, news.refused);
  if (!news.refused.empty()) return news;
  for (const auto& [option, value] : now.values) {
    if (value == settings.values.at(option)) continue;
    const auto info = std::find_if(table.begin(), table.end(),
                                   [&](const auto& each) { return each.name == option; });
    if (info != table.end() ? info->live != 0 : option == kLogLevel) {
      news.changed[option] = value;
    } else {
      news.waiting.push_back(option);
    }
  }
  return news;
}

}  // namespace hostd
