// Prints packaging/docs/options.md: every option in one table, as the code has it.
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "hostd/command_line.h"
#include "hostd/option_table.h"

namespace hostd {
namespace {

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + text + "`";
}

// A cell ends at a bar.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

const char* type_of(sbx_option_type type) {
  switch (type) {
    case SBX_OPTION_INTEGER:
      return "integer";
    case SBX_OPTION_BOOLEAN:
      return "boolean";
    case SBX_OPTION_LIST:
      return "list";
    case SBX_OPTION_STRING:
      break;
  }
  return "text";
}

std::string flags_of(const Option& option) {
  std::istringstream names(flag_names(option));
  std::string flags;
  for (std::string name; std::getline(names, name, ',');) {
    flags += (flags.empty() ? "" : ", ") + code(name);
  }
  return flags;
}

std::string range_of(const Option& option) {
  const sbx_option_info& info = option.info;
  if (info.type == SBX_OPTION_INTEGER) {
    return std::to_string(info.minimum) + " to " + std::to_string(info.maximum);
  }
  if (info.type == SBX_OPTION_BOOLEAN) return "true, false";
  return option.rule == nullptr ? "" : option.rule->allowed;
}

void print() {
  std::cout << "# Options of hostd\n\n"
               "Made by `build/hostd/options_document`; do not edit. In the file an option stands "
               "under its name. A program\n"
               "sets those with \"library\" by `sbx_config_set`; \"live\" ones can change while it "
               "serves. Lists are comma-separated;\n"
               "a boolean may also be yes, no, on, off, 1 or 0. Defaults are hostd's: in a program "
               "that of "
               "`redis.url`\nis `redis://127.0.0.1:6379`, and no Redis is started.\n\n"
               "| name | flag | environment variable | type | unit | range | default | live | "
               "library | what it is |\n"
               "|---|---|---|---|---|---|---|---|---|---|\n";
  for (const Option& option : option_table()) {
    const sbx_option_info& info = option.info;
    std::cout << "| " << code(info.name) << " | " << flags_of(option) << " | "
              << code(variable_of(option)) << " | " << type_of(info.type) << " | " << info.unit
              << " | " << cell(range_of(option)) << " | " << code(default_of(option)) << " | "
              << (info.live != 0 ? "live" : "") << " | " << (option.own ? "" : "library") << " | "
              << cell(info.doc) << " |\n";
  }
}

}  // namespace
}  // namespace hostd

int main() {
  hostd::print();
}
