#include "engine/net/request_line.h"

namespace signalbox::net {

std::string_view session_in(std::string_view line, std::string_view path) {
  constexpr std::string_view kName = "sid=";
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return {};
  std::string_view target = line.substr(space + 1);
  target = target.substr(0, target.find(' '));
  if (!target.starts_with(path)) return {};
  std::string_view id;
  for (size_t at = target.find('?'); at != std::string_view::npos; at = target.find('&', at + 1)) {
    const std::string_view field = target.substr(at + 1);
    if (field.starts_with(kName)) id = field.substr(kName.size());
  }
  return id.substr(0, id.find('&'));
}

}  // namespace signalbox::net
