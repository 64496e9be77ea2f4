#include "engine/net/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit_test.h"

using namespace signalbox::net;
using unit_test::Exact;

namespace {

Address address(std::string_view text) {
  const auto parsed = Address::parse(text);
  assert_for(text, parsed.has_value());
  return *parsed;
}

AddressRange range(std::string_view text) {
  const auto parsed = AddressRange::parse(text);
  assert_for(text, parsed.has_value());
  return *parsed;
}

void addresses_are_read_with_and_without_port(void**) {
  struct Case {
    const char* text;
    const char* address;
  };
  for (const Case& c : {Case{"192.0.2.1", "192.0.2.1"},
                        {"192.0.2.1:4711", "192.0.2.1"},
                        {"0.0.0.0:0", "0.0.0.0"},
                        {"2001:db8::1", "2001:db8::1"},
                        {"2001:DB8:0:0::1", "2001:db8::1"},
                        {"[2001:db8::1]", "2001:db8::1"},
                        {"[2001:db8::1]:65535", "2001:db8::1"},
                        {"::", "::"},
                        {"::1", "::1"},
                        {"::ffff:192.0.2.1", "192.0.2.1"},
                        {"[::ffff:c000:201]:80", "192.0.2.1"}}) {
    assert_text_equal(address(Exact(c.text).view()).to_string(), c.address);
  }
  assert_true(address("::ffff:192.0.2.1") == address("192.0.2.1"));
  assert_true(address("::ffff:192.0.2.1").is_v4());
  assert_false(address("::192.0.2.1").is_v4());
}

void anything_else_is_no_address(void**) {
  for (const char* text : {"",
                           " ",
                           "unknown",
                           "_hidden",
                           "localhost",
                           "192.0.2",
                           "192.0.2.256",
                           "192.0.2.1.1",
                           "192.0.2.01",
                           "192.0.2.1:",
                           "192.0.2.1:65536",
                           "192.0.2.1:-1",
                           "192.0.2.1:x",
                           ":4711",
                           " 192.0.2.1",
                           "192.0.2.1 ",
                           "[192.0.2.1]",
                           "[192.0.2.1]:80",
                           "[2001:db8::1",
                           "2001:db8::1]",
                           "[2001:db8::1]80",
                           "[2001:db8::1]:",
                           "[2001:db8::1]:x",
                           "[]",
                           "[",
                           "[]:80",
                           "fe80::1%eth0",
                           "[fe80::1%eth0]:80",
                           "1::2::3",
                           "12345::",
                           "2001:db8:::1",
                           "192.0.2.1/24",
                           "0x7f.1",
                           "\n",
                           "1:2:3:4:5:6:7:8:9",
                           "2001:db8::1:2:3:4:5:6:7:8888888888888888888888888888888888888888"}) {
    assert_for(text, !Address::parse(Exact(text).view()).has_value());
  }
  assert_false(Address::parse(std::string_view("192.0.2.1\0", 10)).has_value());
  assert_false(Address::parse(std::string(100000, '1')).has_value());
}

void limits_count_ipv6_by_its_64(void**) {
  assert_text_equal(address("192.0.2.1").limit_key(), "192.0.2.1");
  assert_text_equal(address("::ffff:192.0.2.1").limit_key(), "192.0.2.1");
  assert_text_equal(address("2001:db8::1").limit_key(), "2001:db8::/64");
  assert_text_equal(address("2001:db8:1:2:3:4:5:6").limit_key(), "2001:db8:1:2::/64");
  assert_text_equal(address("::1").limit_key(), "::/64");
}

void a_range_contains_its_addresses(void**) {
  struct Case {
    const char* range;
    const char* inside;
    const char* outside;
  };
  for (const Case& c : {Case{"10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
                        {"10.1.2.3/8", "10.9.9.9", "9.255.255.255"},
                        {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
                        {"192.0.2.4/30", "192.0.2.7", "192.0.2.8"},
                        {"192.0.2.1", "192.0.2.1", "192.0.2.0"},
                        {"192.0.2.1/32", "::ffff:192.0.2.1", "192.0.2.2"},
                        {"0.0.0.0/0", "255.255.255.255", "::1"},
                        {"::1", "::1", "::2"},
                        {"2001:db8::/32", "2001:db8:ffff::", "2001:db9::"},
                        {"fe80::/10", "febf::1", "fec0::1"},
                        {"2001:db8::/127", "2001:db8::1", "2001:db8::2"},
                        {"::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"},
                        {"::ffff:0:0/96", "192.0.2.1", "2001:db8::1"}}) {
    assert_for(c.range, range(c.range).contains(address(c.inside)));
    assert_for(c.range, !range(c.range).contains(address(c.outside)));
  }
  assert_true(range("::/0").contains(address("2001:db8::1")));
}

void anything_else_is_no_range(void**) {
  for (const char* text : {"",
                           "/",
                           "/8",
                           "10.0.0.0/",
                           "10.0.0.0/33",
                           "10.0.0.0/-1",
                           "10.0.0.0/8/8",
                           "10.0.0.0/ 8",
                           "10.0.0.0/8 ",
                           "10.0.0.0:80/8",
                           "10.0.0.0:80",
                           "[::1]/128",
                           "[::1]",
                           "::1/129",
                           "::/x",
                           "10/8",
                           "loopback",
                           "10.0.0.0/255.0.0.0",
                           "10.0.0.0/0x8",
                           "10.0.0.0/99999999999"}) {
    assert_for(text, !AddressRange::parse(Exact(text).view()).has_value());
  }
}

void only_trusted_proxies_are_believed(void**) {
  const AddressRange trusted[] = {range("127.0.0.0/8"), range("::1"), range("10.0.0.0/8")};
  struct Case {
    const char* peer;
    const char* header;
    const char* client;
  };
  for (const Case& c : {
           Case{"192.0.2.1", "", "192.0.2.1"},
           {"192.0.2.1", "198.51.100.7", "192.0.2.1"},  // a stranger that claims to be a proxy
           {"127.0.0.1", "", "127.0.0.1"},
           {"127.0.0.1", "198.51.100.7", "198.51.100.7"},
           {"::1", "2001:db8::7", "2001:db8::7"},
           {"::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"},
           // What the client itself sent stands on the left and is not believed.
           {"127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"},
           {"127.0.0.1", "203.0.113.9,198.51.100.7 , 10.0.0.5", "198.51.100.7"},
           {"127.0.0.1", "10.0.0.4,\t10.0.0.5", "10.0.0.4"},
           {"127.0.0.1", "198.51.100.7:4711", "198.51.100.7"},
           {"127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"},
           // The walk ends at what is no address.
           {"127.0.0.1", "unknown", "127.0.0.1"},
           {"127.0.0.1", "198.51.100.7, unknown", "127.0.0.1"},
           {"127.0.0.1", "198.51.100.7, unknown, 10.0.0.5", "10.0.0.5"},
           {"127.0.0.1", "198.51.100.7,", "127.0.0.1"},
           {"127.0.0.1", ",198.51.100.7", "198.51.100.7"},
           {"127.0.0.1", ",", "127.0.0.1"},
           {"127.0.0.1", ",10.0.0.5", "10.0.0.5"},
           {"127.0.0.1", " ", "127.0.0.1"},
       }) {
    assert_text_equal(client_address(address(c.peer), Exact(c.header).view(), trusted).to_string(),
                      c.client);
  }
  assert_text_equal(client_address(address("127.0.0.1"), "198.51.100.7", {}).to_string(),
                    "127.0.0.1");
}

void a_long_header_is_walked_once(void**) {
  const AddressRange trusted[] = {range("10.0.0.0/8")};
  std::string header = "198.51.100.7";
  for (int i = 0; i < 100000; ++i) header += ",10.0.0.1";
  assert_text_equal(client_address(address("10.0.0.1"), header, trusted).to_string(),
                    "198.51.100.7");
}

void a_socket_name_is_read(void**) {
  sockaddr_storage name{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(name);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_text_equal(Address::of(name)->to_string(), "127.0.0.1");

  // IPv4 over a dual-stack socket, and IPv6.
  for (const auto& [text, expected] :
       {std::pair("::ffff:192.0.2.1", "192.0.2.1"), std::pair("2001:db8::1", "2001:db8::1")}) {
    name = {};
    auto& v6 = reinterpret_cast<sockaddr_in6&>(name);
    v6.sin6_family = AF_INET6;
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    assert_text_equal(Address::of(name)->to_string(), expected);
  }

  name = {};
  name.ss_family = AF_UNIX;
  assert_false(Address::of(name).has_value());
}

void a_network_is_what_limits_count_by(void**) {
  assert_text_equal(address("192.0.2.1").limit_network().to_string(), "192.0.2.1");
  assert_text_equal(address("2001:db8:1:2:3:4:5:6").limit_network().to_string(), "2001:db8:1:2::");
}

void random_texts_do_no_harm(void**) {
  auto random = unit_test::seeded_random();
  const AddressRange trusted[] = {range("0.0.0.0/0"), range("::/0")};
  for (int i = 0; i < 20000; ++i) {
    const std::string text = unit_test::random_text(random, 24, "0123456789abcdef:.[]/,% ");
    const Exact exact(text);
    if (const auto parsed = Address::parse(exact.view())) {
      assert_for(text, address(parsed->to_string()) == *parsed);
    }
    if (const auto parsed = AddressRange::parse(exact.view())) {
      const auto base = Address::parse(text.substr(0, text.find('/')));
      assert_for(text, base && parsed->contains(*base));
    }
    client_address(address("127.0.0.1"), exact.view(), trusted);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(addresses_are_read_with_and_without_port),
      cmocka_unit_test(anything_else_is_no_address),
      cmocka_unit_test(limits_count_ipv6_by_its_64),
      cmocka_unit_test(a_range_contains_its_addresses),
      cmocka_unit_test(anything_else_is_no_range),
      cmocka_unit_test(only_trusted_proxies_are_believed),
      cmocka_unit_test(a_long_header_is_walked_once),
      cmocka_unit_test(a_socket_name_is_read),
      cmocka_unit_test(a_network_is_what_limits_count_by),
      cmocka_unit_test(random_texts_do_no_harm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
