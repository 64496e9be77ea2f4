#include "hostd/admin_address.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace hostd {
namespace {

std::optional<int> read_port(std::string_view text) {
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || rest != end) return std::nullopt;
  return port;
}

}  // namespace

std::optional<AdminAddress> read_admin_address(std::string_view text) {
  AdminAddress address;
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    const bool brackets = host.starts_with('[') && host.ends_with(']');
    if (brackets) host = host.substr(1, host.size() - 2);
    // Without brackets the last part of an IPv6 address would be the port.
    if (host.empty() || (!brackets && host.find(':') != std::string_view::npos)) {
      return std::nullopt;
    }
    address.host = host;
    text.remove_prefix(colon + 1);
  }
  const std::optional<int> port = read_port(text);
  if (!port) return std::nullopt;
  address.port = *port;
  return address;
}

}  // namespace hostd
