#include "hostd/admin_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
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

bool is_literal(int family, const std::string& text) {
  in6_addr ignored;  // is large enough for both families
  return inet_pton(family, text.c_str(), &ignored) == 1;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_of_name(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

// Behind a '%' an address of one link may name the interface.
bool is_ipv6(std::string_view text) {
  const size_t percent = text.find('%');
  if (!is_literal(AF_INET6, std::string(text.substr(0, percent)))) return false;
  if (percent == std::string_view::npos) return true;
  const std::string_view zone = text.substr(percent + 1);
  return !zone.empty() && std::all_of(zone.begin(), zone.end(), is_of_name);
}

// An IPv4 address, or the name of a host. No name ends with a number: it would be an address.
bool is_ipv4_or_name(std::string_view text) {
  if (is_literal(AF_INET, std::string(text))) return true;
  std::string_view part;
  for (size_t begin = 0; begin <= text.size(); begin += part.size() + 1) {
    part = text.substr(begin, text.find('.', begin) - begin);
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_of_name)) return false;
  }
  return !std::all_of(part.begin(), part.end(), is_digit);
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
    if (!(brackets ? is_ipv6(host) : is_ipv4_or_name(host))) return std::nullopt;
    address.host = host;
    text.remove_prefix(colon + 1);
  }
  const std::optional<int> port = read_port(text);
  if (!port) return std::nullopt;
  address.port = *port;
  return address;
}

}  // namespace hostd
