#include "hostd/command_line.h"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <map>
#include <sstream>
#include <vector>

#include "hostd/suggestion.h"

namespace hostd {
namespace {

constexpr const char* kFooter =
    "Each option may also stand in the environment (listen.port as SIGNALBOX_LISTEN_PORT) and in\n"
    "the file (as listen.port = 3001, or as port = 3001 under [listen]). The flag goes before the\n"
    "environment, the environment before the file. Also understood: BACKEND_PORT, REDIS_HOST,\n"
    "REDIS_PORT, CORS_ORIGIN, NODE_ENV, DISABLE_JOIN_RATE_LIMIT=1.\n"
    "On SIGHUP the file is read again; options marked \"live\" then change at once. So are\n"
    "certificate and key.";

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

std::string description(const Option& each) {
  const sbx_option_info& option = each.info;
  std::ostringstream text;
  text << option.doc << " [";
  if (*option.unit != '\0') text << option.unit << ", ";
  if (option.type == SBX_OPTION_INTEGER) text << option.minimum << ".." << option.maximum << ", ";
  const std::string by_default = default_of(each);
  text << "default " << (by_default.empty() ? "none" : by_default)
       << (option.live != 0 ? ", live]" : "]");
  return text.str();
}

// Tells what is left on the command line; the value of an unknown flag goes with it.
void refuse_unknown(const std::vector<std::string>& left, const CLI::App& app, Faults& faults) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back(name);
  }
  bool flag_before = false;
  for (const std::string& each : left) {
    if (each.starts_with('-')) {
      const std::string flag = each.substr(0, each.find('='));
      const std::string hint =
          flag.starts_with("--") ? suggestion(flag.substr(2), known, "--") : "";
      faults.push_back("unknown flag " + flag + hint + "; see hostd --help");
      flag_before = flag == each;
    } else {
      if (!flag_before) faults.push_back("'" + each + "' is no flag; see hostd --help");
      flag_before = false;
    }
  }
}

}  // namespace

std::string flag_names(const Option& option) {
  static const std::map<std::string, std::string> kFurther = {{"listen.port", "-p,--port,"},
                                                              {"listen.host", "--host,"},
                                                              {"redis.url", "--redis,"},
                                                              {"log.level", "--log-level,"}};
  const auto found = kFurther.find(option.info.name);
  return (found == kFurther.end() ? "" : found->second) + "--" + option.info.name;
}

std::optional<CommandLine> read_command_line(int argc, char** argv, Faults& faults) {
  CLI::App app("Signalbox: a WebRTC signaling server, compatible with Socket.IO 4.", "hostd");
  CommandLine line;
  app.set_help_flag("-h,--help", "show this text");
  app.set_version_flag("--version", std::string("signalbox ") + sbx_version(), "show the version");
  app.get_formatter()->column_width(42);
  app.footer(kFooter);
  app.allow_extras();
  app.add_option("--config", line.file, "read options from this TOML or INI file")
      ->type_name("FILE");
  app.add_flag("--check-config", line.check_config,
               "tell what is wrong with the settings, and end: neither port nor Redis is needed");
  app.add_flag("--print-config", line.print_config,
               "print the settings as such a file, with where each came from, and end");

  const std::vector<Option>& table = option_table();
  std::vector<std::string> values(table.size());
  std::vector<const CLI::Option*> flags;
  for (size_t i = 0; i < table.size(); ++i) {
    const sbx_option_info& info = table[i].info;
    flags.push_back(app.add_option(flag_names(table[i]), values[i], description(table[i]))
                        ->type_name(type_name(info.type)));
  }
  try {
    app.parse(argc, argv);
    refuse_unknown(app.remaining(), app, faults);
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    faults.push_back(std::string(error.what()) + "; see hostd --help");
    return std::nullopt;
  }
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string name = table[i].info.name;
    if (flags[i]->count() > 0) line.flags.push_back({name, values[i], "--" + name});
  }
  return line;
}

}  // namespace hostd
