#include "engine/net/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace signalbox::net {
namespace {

using State = ProxyHeader::State;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr size_t kMostBytes1 = 107;  // with its CRLF
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kFixedBytes2 = 16;  // signature, command, family, length

ProxyHeader invalid() {
  return {State::kInvalid, 0, std::nullopt};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A port as version 1 writes it: decimal, no more zeros in front than it needs.
bool is_canonical_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return false;
  }
  return text.size() == 1 || (text.front() != '0' && (text.size() < 5 || text <= "65535"));
}

// An address as version 1 writes it, of the family that stands before it.
std::optional<Address> address(std::string_view text, bool v6) {
  // Digits, letters and separators only: neither port nor brackets, which Address::parse() takes.
  const bool has_colon = text.find(':') != std::string_view::npos;
  if (has_colon != v6 || text.find_first_of("[]") != std::string_view::npos) return std::nullopt;
  return Address::parse(text);
}

// Cuts off what stands before the next space; all of it when there is none.
std::string_view next_field(std::string_view& rest) {
  const size_t space = rest.find(' ');
  const std::string_view field = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return field;
}

// PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n
ProxyHeader read_version_1(std::string_view bytes) {
  const size_t end = bytes.substr(0, kMostBytes1).find("\r\n");
  if (end == std::string_view::npos) {
    return bytes.size() < kMostBytes1 ? ProxyHeader() : invalid();
  }
  std::string_view rest = bytes.substr(kSignature1.size(), end - kSignature1.size());
  const size_t size = end + 2;
  const std::string_view family = next_field(rest);
  if (family == "UNKNOWN") return {State::kWhole, size, std::nullopt};  // whatever follows
  if (family != "TCP4" && family != "TCP6") return invalid();
  const bool v6 = family == "TCP6";
  const std::optional<Address> client = address(next_field(rest), v6);
  const std::optional<Address> server = address(next_field(rest), v6);
  const bool client_port = is_canonical_port(next_field(rest));
  // The last: a space behind it would begin another field.
  if (!client || !server || !client_port || !is_canonical_port(rest)) return invalid();
  return {State::kWhole, size, client};
}

ProxyHeader read_version_2(std::string_view bytes) {
  if (bytes.size() < kFixedBytes2) return {};
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  constexpr uint8_t kVersion2 = 0x20;
  constexpr uint8_t kLocal = 0;
  constexpr uint8_t kProxy = 1;
  const uint8_t command = byte(12) & 0x0f;
  const uint8_t family = byte(13) >> 4;
  const uint8_t transport = byte(13) & 0x0f;
  const size_t length = static_cast<size_t>(byte(14)) << 8 | byte(15);
  if ((byte(12) & 0xf0) != kVersion2 || command > kProxy || family > 3 || transport > 2 ||
      kFixedBytes2 + length > ProxyHeader::kMostBytes) {
    return invalid();
  }
  constexpr std::array<size_t, 4> kAddressBytes = {0, 12, 36, 216};  // UNSPEC, IPv4, IPv6, unix
  constexpr uint8_t kStream = 1;
  // With LOCAL the rest means nothing.
  if (command == kProxy &&
      (length < kAddressBytes[family] || (family != 0 && transport != kStream))) {
    return invalid();
  }
  if (bytes.size() < kFixedBytes2 + length) return {};
  ProxyHeader header{State::kWhole, kFixedBytes2 + length, std::nullopt};
  if (command == kLocal) return header;
  const auto* source = reinterpret_cast<const uint8_t*>(bytes.data() + kFixedBytes2);
  if (family == 1) header.client = Address::from_v4(source);
  if (family == 2) header.client = Address::from_v6(source);
  return header;  // what follows the addresses (TLVs) is skipped
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) {
  for (const std::string_view signature : {kSignature1, kSignature2}) {
    const size_t compared = std::min(bytes.size(), signature.size());
    if (bytes.substr(0, compared) != signature.substr(0, compared)) continue;
    if (compared < signature.size()) return {};
    return signature == kSignature1 ? read_version_1(bytes) : read_version_2(bytes);
  }
  return invalid();
}

}  // namespace signalbox::net
