#include "engine/net/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/core/http_token.h"

namespace signalbox::net {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// A whole decimal number. Nothing for anything else and for numbers above `maximum`.
std::optional<unsigned> number(std::string_view text, unsigned maximum) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value > maximum) return std::nullopt;
  return value;
}

bool is_port(std::string_view text) {
  return number(text, 65535).has_value();
}

// inet_pton for a view.
bool read_address(int family, std::string_view text, void* bytes) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) return false;
  text.copy(buffer, text.size());
  buffer[text.size()] = '\0';
  return inet_pton(family, buffer, bytes) == 1;
}

std::string written(int family, const void* bytes) {
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(family, bytes, buffer, sizeof buffer);
}

}  // namespace

Address Address::from_bytes(const std::array<uint8_t, 16>& bytes) {
  Address address;
  address.bytes_ = bytes;
  address.v4_ = std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
  return address;
}

std::optional<Address> Address::parse_bare(std::string_view text) {
  std::array<uint8_t, 16> bytes;
  if (read_address(AF_INET6, text, bytes.data())) return from_bytes(bytes);
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
  if (read_address(AF_INET, text, bytes.data() + kMappedPrefix.size())) return from_bytes(bytes);
  return std::nullopt;
}

std::optional<Address> Address::parse(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view inside = text.substr(1, close - 1);
    const std::string_view behind = text.substr(close + 1);
    if (!behind.empty() && (behind.front() != ':' || !is_port(behind.substr(1)))) {
      return std::nullopt;
    }
    // Brackets hold IPv6 only.
    return inside.find(':') != std::string_view::npos ? parse_bare(inside) : std::nullopt;
  }
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    if (!is_port(text.substr(colon + 1))) return std::nullopt;
    text = text.substr(0, colon);
  }
  return parse_bare(text);
}

std::optional<Address> Address::of(const sockaddr_storage& name) {
  if (name.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &name, sizeof v6);
    return from_v6(v6.sin6_addr.s6_addr);
  }
  if (name.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &name, sizeof v4);
    return from_v4(reinterpret_cast<const uint8_t*>(&v4.sin_addr));
  }
  return std::nullopt;
}

Address Address::from_v4(const uint8_t* bytes) {
  std::array<uint8_t, 16> mapped;
  const auto behind = std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), mapped.begin());
  std::copy(bytes, bytes + 4, behind);
  return from_bytes(mapped);
}

Address Address::from_v6(const uint8_t* bytes) {
  std::array<uint8_t, 16> copied;
  std::copy(bytes, bytes + copied.size(), copied.begin());
  return from_bytes(copied);
}

std::string Address::to_string() const {
  return v4_ ? written(AF_INET, bytes_.data() + kMappedPrefix.size())
             : written(AF_INET6, bytes_.data());
}

std::string Address::limit_key() const {
  return v4_ ? to_string() : limit_network().to_string() + "/64";
}

Address Address::limit_network() const {
  Address network = *this;
  if (!v4_) std::fill(network.bytes_.begin() + 8, network.bytes_.end(), uint8_t{0});
  return network;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view base = text.substr(0, slash);
  const std::optional<Address> address = Address::parse_bare(base);
  if (!address) return std::nullopt;
  AddressRange range;
  range.base_ = *address;
  if (slash != std::string_view::npos) {
    // The prefix counts in the notation that it is written in.
    const unsigned offset = base.find(':') == std::string_view::npos ? 96 : 0;
    const std::optional<unsigned> prefix = number(text.substr(slash + 1), 128 - offset);
    if (!prefix) return std::nullopt;
    range.prefix_ = *prefix + offset;
  }
  return range;
}

bool AddressRange::contains(const Address& address) const {
  const size_t whole = prefix_ / 8;
  if (!std::equal(base_.bytes_.begin(), base_.bytes_.begin() + static_cast<ptrdiff_t>(whole),
                  address.bytes_.begin())) {
    return false;
  }
  const unsigned bits = prefix_ % 8;
  return bits == 0 || ((base_.bytes_[whole] ^ address.bytes_[whole]) >> (8 - bits)) == 0;
}

bool lies_in(std::span<const AddressRange> networks, const Address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const AddressRange& range) { return range.contains(address); });
}

Address client_address(const Address& peer, std::string_view forwarded_for,
                       std::span<const AddressRange> trusted) {
  Address client = peer;
  while (!forwarded_for.empty() && lies_in(trusted, client)) {
    const size_t comma = forwarded_for.rfind(',');
    const bool last = comma == std::string_view::npos;
    const std::optional<Address> entry =
        Address::parse(without_ows(last ? forwarded_for : forwarded_for.substr(comma + 1)));
    if (!entry) break;
    client = *entry;
    forwarded_for = last ? std::string_view() : forwarded_for.substr(0, comma);
  }
  return client;
}

}  // namespace signalbox::net
