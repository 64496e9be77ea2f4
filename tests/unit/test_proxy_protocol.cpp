// PROXY protocol headers, whole, in pieces, wrong and random.
#include "engine/net/proxy_protocol.h"

#include <string>

#include "tests/unit/unit_test.h"

using signalbox::net::ProxyHeader;
using signalbox::net::read_proxy_header;
using State = ProxyHeader::State;

namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

// A header of version 2; `length` overrides the field.
std::string version_2(char command, char family, const std::string& rest, int length = -1) {
  const size_t size = length < 0 ? rest.size() : static_cast<size_t>(length);
  return kSignature + command + family + static_cast<char>(size >> 8) + static_cast<char>(size) +
         rest;
}

const std::string kV4("\xc0\0\2\1\xc6\x33\x64\1\x12\x34\1\xbb", 12);
std::string v6() {
  std::string addresses("\x20\1\x0d\xb8\0\0\0\1\0\0\0\0\0\0\0\7", 16);
  return addresses + addresses + std::string("\x12\x34\1\xbb", 4);
}

// The client that a whole header names, "" when it names none.
std::string client(const std::string& bytes) {
  const ProxyHeader header = read_proxy_header(bytes + "GET / HTTP/1.1\r\n");
  assert_for(bytes.c_str(), header.state == State::kWhole && header.size == bytes.size());
  return header.client ? header.client->to_string() : "";
}

void version_1_names_the_client(void**) {
  assert_text_equal(client("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n"), "192.0.2.1");
  assert_text_equal(client("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
                    "255.255.255.255");
  assert_text_equal(client("PROXY TCP6 2001:db8::1 2001:db8::2 0 1\r\n"), "2001:db8::1");
  assert_text_equal(client("PROXY UNKNOWN\r\n"), "");
  assert_text_equal(client("PROXY UNKNOWN ffff:f...f:ffff whatever 1 2\r\n"), "");
}

void version_1_is_strict(void**) {
  for (const char* text : {"PROXY TCP4 192.0.2.1 198.51.100.1 4711\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 4711 \r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443 \r\n",
                           "PROXY TCP4  192.0.2.1 198.51.100.1 4711 443\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 4711 65536\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 04711 443\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n",
                           "PROXY TCP4 192.0.2.256 198.51.100.1 4711 443\r\n",
                           "PROXY TCP4 192.0.2.1:1 198.51.100.1 4711 443\r\n",
                           "PROXY TCP4 2001:db8::1 2001:db8::2 4711 443\r\n",
                           "PROXY TCP6 192.0.2.1 198.51.100.1 4711 443\r\n",
                           "PROXY TCP6 [2001:db8::1] 2001:db8::2 4711 443\r\n",
                           "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
                           "PROXY tcp4 192.0.2.1 198.51.100.1 4711 443\r\n",
                           "PROXY \r\n",
                           "PROXY\r\n",
                           "proxy TCP4",
                           "GET / HTTP/1.1\r\n",
                           "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\n\r\n",
                           " PROXY "}) {
    assert_for(text, read_proxy_header(text).state == State::kInvalid);
  }
  // 107 bytes at most.
  const std::string longest = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  assert_int_equal(longest.size(), 107);
  assert_text_equal(client(longest), "");
  assert_true(read_proxy_header("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n").state ==
              State::kInvalid);
  assert_true(read_proxy_header("PROXY UNKNOWN " + std::string(93, 'x')).state == State::kInvalid);
}

void version_2_names_the_client(void**) {
  assert_text_equal(client(version_2('\x21', '\x11', kV4)), "192.0.2.1");
  assert_text_equal(client(version_2('\x21', '\x21', v6())), "2001:db8:0:1::7");
  // Extensions are skipped, whatever they are.
  assert_text_equal(client(version_2('\x21', '\x11', kV4 + std::string("\3\0\4nope", 7))),
                    "192.0.2.1");
  assert_text_equal(client(version_2('\x21', '\x11', kV4 + std::string(508, 'x'))), "192.0.2.1");
}

void version_2_may_name_nobody(void**) {
  assert_text_equal(client(version_2('\x20', '\0', "")), "");
  assert_text_equal(client(version_2('\x20', '\x11', kV4)), "");  // LOCAL
  assert_text_equal(client(version_2('\x20', '\x11', "xyz")), "");
  assert_text_equal(client(version_2('\x21', '\0', "")), "");  // UNSPEC
  assert_text_equal(client(version_2('\x21', '\0', std::string(100, 'x'))), "");
  assert_text_equal(client(version_2('\x21', '\x31', std::string(216, 'x'))), "");  // unix
}

void version_2_is_strict(void**) {
  for (const std::string& bytes :
       {version_2('\x11', '\x11', kV4), version_2('\x31', '\x11', kV4),
        version_2('\x22', '\x11', kV4), version_2('\x2f', '\x11', kV4),
        version_2('\x21', '\x12', kV4),  // datagrams
        version_2('\x21', '\x10', kV4), version_2('\x21', '\x13', kV4),
        version_2('\x21', '\x41', std::string(216, 'x')), version_2('\x21', '\x11', kV4.substr(1)),
        version_2('\x21', '\x21', kV4), version_2('\x21', '\x31', std::string(215, 'x')),
        version_2('\x21', '\x11', kV4 + std::string(509, 'x')),
        version_2('\x21', '\x11', kV4, 0xffff), kSignature.substr(0, 11) + "x"}) {
    assert_true(read_proxy_header(bytes).state == State::kInvalid);
  }
}

void a_beginning_is_waited_on(void**) {
  for (const std::string& whole :
       {std::string("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n"),
        version_2('\x21', '\x11', kV4 + "abc"), version_2('\x21', '\x21', v6())}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      assert_true(read_proxy_header(whole.substr(0, size)).state == State::kMore);
    }
    assert_true(read_proxy_header(whole).state == State::kWhole);
  }
}

void random_bytes_do_no_harm(void**) {
  auto random = unit_test::seeded_random();
  for (int i = 0; i < 20000; ++i) {
    const std::string rest =
        unit_test::random_text(random, 40, std::string("\0\1\x11\x21 :.19", 10));
    for (const std::string& begin :
         {std::string("PROXY "), std::string("PROXY TCP4 "), kSignature, std::string()}) {
      const std::string bytes = begin + rest;
      const ProxyHeader header = read_proxy_header(bytes);
      assert_true(header.state != State::kWhole || header.size <= bytes.size());
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(version_1_names_the_client), cmocka_unit_test(version_1_is_strict),
      cmocka_unit_test(version_2_names_the_client), cmocka_unit_test(version_2_may_name_nobody),
      cmocka_unit_test(version_2_is_strict),        cmocka_unit_test(a_beginning_is_waited_on),
      cmocka_unit_test(random_bytes_do_no_harm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
