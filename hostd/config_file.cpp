#include "hostd/config_file.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <istream>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include "hostd/suggestion.h"

namespace hostd {
namespace {

// One that CLI11 can read by itself: a line, or several when a list goes on over them. It is given
// them one by one, since it does not tell lines, and without comments, since it would take a '#'
// inside of a text for one.
struct Statement {
  size_t line = 0;  // where it begins, from 1
  std::string text;
};

std::string trimmed(const std::string& text) {
  std::string copy = text;
  return CLI::detail::trim(copy);
}

// The line without comment; false when it has a quote that is not closed. Only a quote with which a
// name or a value begins is one: INI has texts without, which may have an apostrophe.
bool strip_comment(std::string& line) {
  line = trimmed(line);
  if (line.starts_with(';')) line.clear();
  char quote = '\0';
  char before = '=';  // the last one that was no space
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool escaped = i > 0 && line[i - 1] == '\\';
    if (quote != '\0') {
      if (c == quote && !escaped) quote = '\0';
    } else if (c == '#') {
      line = trimmed(line.substr(0, i));
      break;
    } else if ((c == '"' || c == '\'') && (before == '=' || before == '[' || before == ',')) {
      quote = c;
    }
    if (c != ' ' && c != '\t') before = c;
  }
  return quote == '\0';
}

bool is_section(const std::string& text) {
  return text.starts_with('[') && text.ends_with(']');
}

bool is_open_list(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return false;
  return trimmed(text.substr(equals + 1)).starts_with('[') && !text.ends_with(']');
}

// The next statement, empty at the end; why it is none goes to `fault`.
Statement read_statement(std::istream& file, size_t& line, std::string& fault) {
  Statement statement;
  for (std::string text; std::getline(file, text);) {
    ++line;
    if (!strip_comment(text)) fault = "a quote that is not closed";
    if (text.empty()) continue;
    if (statement.line == 0) statement.line = line;
    statement.text += text;
    if (!is_open_list(statement.text)) return statement;
  }
  if (!statement.text.empty()) fault = "a list without its end ]";
  return statement;
}

// What it says, below the section that the line `section` begins.
std::vector<CLI::ConfigItem> parse(const std::string& section, const std::string& statement) {
  CLI::ConfigTOML parser;
  parser.comment('\0');
  std::istringstream text(section + "\n" + statement + "\n");
  std::vector<CLI::ConfigItem> items = parser.from_config(text);
  // Where a section begins or ends.
  std::erase_if(items, [](const auto& item) { return item.name == "++" || item.name == "--"; });
  return items;
}

// What may be told of a line that is none: behind a forgotten '=' there may be a secret.
std::string first_word(const std::string& text) {
  return text.substr(0, text.find_first_of(" \t'\":", 1));
}

std::string needs_equals(const Setting& setting) {
  return "option " + setting.option + ": needs a '=' behind its name";
}

// Reads the values of a statement; what is wrong with them, or "".
std::string read_setting(const CLI::ConfigItem& item, Setting& setting) {
  const std::string name = first_word(item.fullname());
  const Option* option = find_option(name);
  if (option == nullptr) {
    return "unknown option '" + name + "'" + suggestion(name, option_names());
  }
  setting.option = option->info.name;
  if (name != item.fullname()) return needs_equals(setting);
  if (option->info.type != SBX_OPTION_LIST && item.inputs.size() != 1) {
    return "option " + setting.option +
           ": one value is allowed; a text with spaces or commas needs quotes";
  }
  setting.value = CLI::detail::join(item.inputs, ",");
  return {};
}

// What is wrong with a line that begins a section, or "".
std::string refusal_of_section(const std::string& text) {
  std::vector<std::string> known;  // "[listen]" for listen.port
  for (const std::string& name : option_names()) {
    const size_t dot = name.find('.');
    if (dot != std::string::npos) known.push_back("[" + name.substr(0, dot) + "]");
  }
  // The reader is the judge of what is the name in it; it takes [default] for none. An array, it
  // would take for a section.
  const auto items = parse(text, "name = value");
  const std::vector<std::string>& names = items.front().parents;
  const bool is_known =
      names.empty() || (names.size() == 1 && std::find(known.begin(), known.end(),
                                                       "[" + names.front() + "]") != known.end());
  if (is_known && !text.starts_with("[[")) return {};
  return "unknown section '" + text + "'" + suggestion(text, known);
}

std::string quoted(const std::string& value, char quote) {
  return quote + value + quote;
}

}  // namespace

Layer read_file(const std::string& path, Faults& faults) {
  Layer layer;
  if (path.empty()) return layer;
  std::ifstream file(path);
  std::string section;
  std::map<std::string, size_t> lines;  // where each option was said
  for (size_t line = 0;;) {
    std::string fault;
    const Statement statement = read_statement(file, line, fault);
    if (statement.text.empty()) break;
    Setting setting;
    setting.source = path + ":" + std::to_string(statement.line);
    if (fault.empty() && is_section(statement.text)) {
      section = statement.text;
      const std::string refusal = refusal_of_section(section);
      if (!refusal.empty()) faults.push_back(setting.source + ": " + refusal);
      continue;
    }
    const auto items =
        fault.empty() ? parse(section, statement.text) : std::vector<CLI::ConfigItem>();
    if (fault.empty() && items.size() != 1) {
      fault = "'" + first_word(statement.text) + "' is no setting";
    }
    if (fault.empty()) fault = read_setting(items.front(), setting);
    // A name alone CLI11 takes for one that is true.
    if (fault.empty() && statement.text.find('=') == std::string::npos)
      fault = needs_equals(setting);
    if (fault.empty()) {
      const auto [before, is_new] = lines.emplace(setting.option, statement.line);
      if (!is_new) {
        fault = "option " + setting.option + ": line " + std::to_string(before->second) +
                " has a value for it already";
      }
    }
    if (fault.empty()) {
      layer.push_back(std::move(setting));
    } else {
      faults.push_back(setting.source + ": " + fault);
    }
  }
  if (!file.is_open() || file.bad()) faults.push_back("--config: cannot read '" + path + "'");
  return layer;
}

std::optional<std::string> file_line(const Option& option, const std::string& value) {
  const bool bare = option.info.type == SBX_OPTION_INTEGER ||
                    (option.info.type == SBX_OPTION_BOOLEAN && !value.empty());
  for (const std::string& text :
       bare ? std::vector{value} : std::vector{quoted(value, '"'), quoted(value, '\'')}) {
    std::string line = std::string(option.info.name) + " = " + text;
    // The reader is the judge: it has its ways with quotes.
    std::istringstream file(line);
    size_t number = 0;
    std::string fault;
    const auto items = parse("", read_statement(file, number, fault).text);
    Setting setting;
    if (fault.empty() && items.size() == 1 && read_setting(items.front(), setting).empty() &&
        setting.value == value) {
      return line;
    }
  }
  return std::nullopt;
}

}  // namespace hostd
