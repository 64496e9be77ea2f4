// Counting by client address.
#include "engine/net/address_counts.h"

#include "tests/unit/unit_test.h"

using signalbox::net::Address;
using signalbox::net::AddressCounts;

namespace {

Address at(std::string_view text) {
  return Address::parse(text).value();
}

void an_address_has_no_more_than_the_limit(void**) {
  AddressCounts counts;
  assert_true(counts.add(at("192.0.2.1"), 2));
  assert_true(counts.add(at("192.0.2.1"), 2));
  assert_false(counts.add(at("192.0.2.1"), 2));
  assert_true(counts.add(at("192.0.2.2"), 2));
  counts.remove(at("192.0.2.1"));
  assert_true(counts.add(at("::ffff:192.0.2.1"), 2));
  assert_false(counts.add(at("192.0.2.1"), 2));
  assert_true(counts.add(at("192.0.2.1"), 3));
}

void zero_is_no_limit(void**) {
  AddressCounts counts;
  for (int i = 0; i < 1000; ++i) assert_true(counts.add(at("192.0.2.1"), 0));
  assert_false(counts.add(at("192.0.2.1"), 1000));
}

void a_network_of_ipv6_is_one_client(void**) {
  AddressCounts counts;
  assert_true(counts.add(at("2001:db8:0:1::1"), 1));
  assert_false(counts.add(at("2001:db8:0:1:ffff::2"), 1));
  assert_true(counts.add(at("2001:db8:0:2::1"), 1));
  counts.remove(at("2001:db8:0:1::3"));
  assert_true(counts.add(at("2001:db8:0:1::4"), 1));
}

void what_was_never_added_is_not_removed(void**) {
  AddressCounts counts;
  counts.remove(at("192.0.2.1"));
  assert_true(counts.add(at("192.0.2.1"), 1));
  assert_false(counts.add(at("192.0.2.1"), 1));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_address_has_no_more_than_the_limit),
      cmocka_unit_test(zero_is_no_limit),
      cmocka_unit_test(a_network_of_ipv6_is_one_client),
      cmocka_unit_test(what_was_never_added_is_not_removed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
