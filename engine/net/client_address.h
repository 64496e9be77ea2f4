// Who a client is, for limits: its address, told by the socket or by a proxy that we trust.
//
// Thread: values and functions without state.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

// An IPv4 or IPv6 address; IPv4-mapped IPv6 (::ffff:a.b.c.d) counts as IPv4.
class Address {
 public:
  // Accepts what stands in X-Forwarded-For: "192.0.2.1", "192.0.2.1:4711", "2001:db8::1",
  // "[2001:db8::1]:4711". A zone ("%eth0") is refused. Nothing for anything else.
  static std::optional<Address> parse(std::string_view text);
  // The address in a sockaddr_in or sockaddr_in6. Nothing for other families.
  static std::optional<Address> of(const sockaddr_storage& name);
  // From network order: 4 bytes or 16.
  static Address from_v4(const uint8_t* bytes);
  static Address from_v6(const uint8_t* bytes);

  bool is_v4() const { return v4_; }
  std::string to_string() const;
  // The key that limits count by: an IPv4 address itself, of an IPv6 address its /64
  // ("2001:db8::/64").
  std::string limit_key() const;
  // The same as an address.
  Address limit_network() const;

  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  friend class AddressRange;
  static std::optional<Address> parse_bare(std::string_view text);  // no port, no brackets
  static Address from_bytes(const std::array<uint8_t, 16>& bytes);

  std::array<uint8_t, 16> bytes_{};  // network order; IPv4 in the mapped form
  bool v4_ = true;
};

// A network in CIDR notation; a bare address is a network of one.
class AddressRange {
 public:
  static std::optional<AddressRange> parse(std::string_view text);
  bool contains(const Address& address) const;

 private:
  Address base_;
  unsigned prefix_ = 128;  // of the mapped form
};

// Whether one of the networks has the address.
bool lies_in(std::span<const AddressRange> networks, const Address& address);

// The client behind `peer`: the peer itself unless it lies in `trusted`; then X-Forwarded-For is
// read from the right and the first entry that is not trusted is the client. An entry that is no
// address ends the walk at the last one that was.
Address client_address(const Address& peer, std::string_view forwarded_for,
                       std::span<const AddressRange> trusted);

}  // namespace signalbox::net
