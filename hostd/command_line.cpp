#include "hostd/command_line.h"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include "hostd/option_table.h"

namespace hostd {
namespace {

constexpr const char* kFooter =
    "Each option may also stand in the environment (listen.port as SIGNALBOX_LISTEN_PORT) and in\n"
    "the file (as listen.port = 3001, or as port = 3001 under [listen]). The flag goes before the\n"
    "environment, the environment before the file. Also understood: BACKEND_PORT, REDIS_HOST,\n"
    "REDIS_PORT, CORS_ORIGIN, NODE_ENV, DISABLE_JOIN_RATE_LIMIT=1.\n"
    "On SIGHUP the file is read again; options marked \"live\" then change at once. So are\n"
    "certificate and key.";

std::string flag_names(const std::string& option) {
  static const std::map<std::string, std::string> kFurther = {{"listen.port", "-p,--port,"},
                                                              {"listen.host", "--host,"},
                                                              {"redis.url", "--redis,"},
                                                              {"log.level", "--log-level,"}};
  const auto found = kFurther.find(option);
  return (found == kFurther.end() ? "" : found->second) + "--" + option;
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

}  // namespace

std::optional<CommandLine> read_command_line(int argc, char** argv, Faults& faults) {
  CLI::App app("Signalbox: a WebRTC signaling server, compatible with Socket.IO 4.", "hostd");
  CommandLine line;
  app.set_help_flag("-h,--help", "show this text");
  app.set_version_flag("--version", std::string("signalbox ") + sbx_version(), "show the version");
  app.get_formatter()->column_width(42);
  app.footer(kFooter);
  app.add_option("--config", line.file, "read options from this TOML or INI file")
      ->type_name("FILE");

  const std::vector<Option>& table = option_table();
  std::vector<std::string> values(table.size());
  std::vector<const CLI::Option*> flags;
  for (size_t i = 0; i < table.size(); ++i) {
    const sbx_option_info& info = table[i].info;
    flags.push_back(app.add_option(flag_names(info.name), values[i], description(info))
                        ->type_name(type_name(info.type)));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    faults.push_back(std::string(error.what()) + "; see hostd --help");
  }
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string name = table[i].info.name;
    if (flags[i]->count() > 0) line.flags.push_back({name, values[i], "--" + name});
  }
  return line;
}

}  // namespace hostd
