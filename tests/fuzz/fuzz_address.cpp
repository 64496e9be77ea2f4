// Addresses, as they stand in X-Forwarded-For, in proxy.trusted, and in what names a Redis: what
// is read, is written and read again as the same; and nobody can forge an address through a proxy.
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <string>

#include "engine/net/client_address.h"
#include "engine/store/cluster_slots.h"
#include "engine/store/redis_url.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox;

namespace {

void check_address(std::string_view text) {
  const auto address = net::Address::parse(text);
  if (!address) return;
  const std::string written = address->to_string();
  CHECK(net::Address::parse(written) == address);
  CHECK(address->is_v4() == (written.find(':') == std::string::npos));
  const auto alone = net::AddressRange::parse(written);
  CHECK(alone && alone->contains(*address));
  const auto network = net::AddressRange::parse(address->limit_key());
  CHECK(network && network->contains(*address));
}

// What the system says of a peer.
void check_peer(std::string_view bytes) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  bytes.copy(reinterpret_cast<char*>(&v6.sin6_addr), sizeof v6.sin6_addr);
  sockaddr_storage name{};
  std::memcpy(&name, &v6, sizeof v6);
  const auto address = net::Address::of(name);
  CHECK(address && net::Address::parse(address->to_string()) == address);
  name.ss_family = AF_UNIX;
  CHECK(!net::Address::of(name));
}

void check_range(std::string_view text) {
  const auto range = net::AddressRange::parse(text);
  if (!range) return;
  const auto base = net::Address::parse(text.substr(0, text.find('/')));
  CHECK(base && range->contains(*base));
}

// `header` is what a client sends; the proxy puts its address behind it.
void check_forwarded(std::string_view header) {
  const auto proxy = *net::Address::parse("10.0.0.1");
  const auto client = *net::Address::parse("2001:db8::7");
  const std::array trusted = {*net::AddressRange::parse("10.0.0.0/8"),
                              *net::AddressRange::parse("fd00::/7")};
  CHECK(net::client_address(client, header, trusted) == client);
  CHECK(net::client_address(proxy, header, {}) == proxy);
  const std::string from_proxy = std::string(header) + ", 2001:db8::7";
  CHECK(net::client_address(proxy, from_proxy, trusted) == client);
  CHECK(net::client_address(proxy, from_proxy + ",\t[fd00::1]:80 ", trusted) == client);
  CHECK(net::client_address(proxy, std::string(header) + ", unknown", trusted) == proxy);
  net::client_address(proxy, header, trusted);
}

void check_redis(std::string_view text) {
  store::RedisUrl url;
  if (store::parse_redis_url(text, url).ok()) {
    CHECK(!url.host.empty() && url.port >= 0 && url.port <= 65535 && url.db >= 0);
    CHECK(url.is_unix == (url.port == 0));
  }
  store::RedisUrl address;
  if (store::parse_redis_address(text, 6379, address).ok()) {
    CHECK(!address.host.empty() && address.port > 0 && address.port <= 65535);
  }
  const auto told = store::read_redirection(text, {"10.0.0.9", 7000});
  if (told.kind == store::Redirection::Kind::kMoved) {
    CHECK(told.slot >= 0 && told.slot < store::kSlots && told.address.port > 0);
    CHECK(told.address.host.find_first_of("/@?#[] ") == std::string::npos);
  }
  const int slot = store::key_slot(text);
  CHECK(slot >= 0 && slot < store::kSlots);
  CHECK(store::key_slot("{" + std::string(text) + "}x") == slot ||
        text.find_first_of("{}") != std::string_view::npos || text.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_address(text);
  check_peer(text);
  check_range(text);
  check_forwarded(text);
  check_redis(text);
  return 0;
}
