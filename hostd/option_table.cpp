#include "hostd/option_table.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <map>

#include "hostd/own_options.h"

namespace hostd {
namespace {

std::vector<Option> make_table() {
  std::vector<Option> table(sbx_option_count());
  for (size_t i = 0; i < table.size(); ++i) {
    table[i].info.size = sizeof(sbx_option_info);
    sbx_option_get(i, &table[i].info);
  }
  table.insert(table.end(), own_options().begin(), own_options().end());
  return table;
}

const std::map<std::string, const char*, std::less<>> kBooleans = {
    {"true", "true"},   {"1", "true"},  {"yes", "true"}, {"on", "true"},
    {"false", "false"}, {"0", "false"}, {"no", "false"}, {"off", "false"}};

bool is_integer_of(const sbx_option_info& info, const std::string& value) {
  int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, number);
  return error == std::errc() && stopped == end && number >= info.minimum && number <= info.maximum;
}

}  // namespace

const std::vector<Option>& option_table() {
  static const std::vector<Option> kTable = make_table();
  return kTable;
}

const Option* find_option(std::string_view name) {
  if (name == "log-level") name = kLogLevel;
  for (const Option& option : option_table()) {
    if (option.info.name == name) return &option;
  }
  return nullptr;
}

std::vector<std::string> option_names() {
  std::vector<std::string> names;
  for (const Option& option : option_table()) names.push_back(option.info.name);
  return names;
}

std::string variable_of(const Option& option) {
  std::string variable = std::string("SIGNALBOX_") + option.info.name;
  for (char& c : variable) c = std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
  return variable;
}

std::string default_of(const Option& option) {
  const std::string_view name = option.info.name;
  if (name == "redis.url") return "a private redis-server";
  if (name == kDemo) return "true with a private redis-server and no auth.jwt_*";
  return option.info.default_value;
}

std::string refusal_of(const Option& option, const std::string& value) {
  const sbx_option_info& info = option.info;
  if (value == info.default_value) return {};
  std::string allowed;
  switch (info.type) {
    case SBX_OPTION_INTEGER:
      if (is_integer_of(info, value)) return {};
      allowed =
          "an integer from " + std::to_string(info.minimum) + " to " + std::to_string(info.maximum);
      break;
    case SBX_OPTION_BOOLEAN:
      if (kBooleans.contains(value)) return {};
      allowed = "true or false";
      break;
    case SBX_OPTION_STRING:
    case SBX_OPTION_LIST:
      if (option.rule->accepts(value)) return {};
      allowed = option.rule->allowed;
      break;
  }
  return std::string("option ") + info.name + ": '" + value + "' is not allowed; " + allowed;
}

std::string normal_value(const Option& option, const std::string& value) {
  if (option.info.type == SBX_OPTION_INTEGER) return std::to_string(std::stoll(value));
  if (option.info.type != SBX_OPTION_BOOLEAN) return value;
  const auto found = kBooleans.find(value);
  return found == kBooleans.end() ? value : found->second;
}

}  // namespace hostd
