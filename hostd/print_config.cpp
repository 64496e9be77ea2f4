#include "hostd/print_config.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "hostd/config_file.h"
#include "hostd/option_table.h"

namespace hostd {
namespace {

constexpr std::string_view kRedisUrl = "redis.url";

// As a comment has it: names of files may have any character.
std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return text;
}

// What may be shown in place of a value that must not be; nothing when it may. Only of redis.url it
// is known what in it is the secret: the login. A password may look like a URL, too.
std::optional<std::string> veiled(const Option& option, const std::string& value) {
  constexpr const char* kHidden = "(hidden)";
  if (option.info.secret == 0 || value == option.info.default_value) return std::nullopt;
  const size_t scheme = value.find("://");
  if (option.info.name != kRedisUrl || scheme == std::string::npos) return kHidden;
  const size_t login_end = value.rfind('@');
  if (login_end == std::string::npos) return std::nullopt;
  return value.substr(0, scheme + 3) + kHidden + value.substr(login_end);
}

std::string line_of(const Settings& settings, const Option& option) {
  const std::string name = option.info.name;
  const std::string& value = settings.values.at(name);
  if (name == kRedisUrl && !settings.redis_given) return "# redis.url = (none given)";
  if (const auto shown = veiled(option, value)) return "# " + name + " = " + on_one_line(*shown);
  return file_line(option, value).value_or("# " + name + " = (not to be said in a file)");
}

}  // namespace

void print_config(std::ostream& out, const Settings& settings) {
  out << "# The settings of hostd " << sbx_version() << ", and where each came from.\n";
  std::string_view group;
  for (const Option& option : option_table()) {
    const std::string_view name = option.info.name;
    const std::string_view own_group = name.substr(0, name.find('.'));
    if (own_group != group) out << "\n";
    group = own_group;
    const auto source = settings.sources.find(option.info.name);
    out << line_of(settings, option) << "  # "
        << (source == settings.sources.end() ? "default" : on_one_line(source->second)) << "\n";
  }
}

}  // namespace hostd
