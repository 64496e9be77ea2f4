#include "engine/engineio/packet_allowance.h"

#include "tests/unit/unit_test.h"

using signalbox::engineio::PacketAllowance;

namespace {

constexpr uint64_t kStart = 1'000'000;  // ms
constexpr PacketAllowance::Rate kRate = {.count = 10, .window_ms = 100};

// Spends what is allowed now, and tells how many packets that were.
int spend_all(PacketAllowance& allowance, uint64_t now_ms, const PacketAllowance::Rate& rate) {
  int spent = 0;
  for (; allowance.open(now_ms, rate); ++spent) allowance.spend(now_ms, rate);
  return spent;
}

void a_window_s_packets_may_come_at_once(void**) {
  PacketAllowance allowance;
  assert_int_equal(spend_all(allowance, kStart, kRate), 10);
}

void then_one_by_one_at_the_rate(void**) {
  PacketAllowance allowance;
  spend_all(allowance, kStart, kRate);
  assert_int_equal(spend_all(allowance, kStart + 9, kRate), 0);
  assert_int_equal(spend_all(allowance, kStart + 10, kRate), 1);
  assert_int_equal(spend_all(allowance, kStart + 45, kRate), 3);
}

void a_rest_earns_a_window_s_packets_and_no_more(void**) {
  PacketAllowance allowance;
  spend_all(allowance, kStart, kRate);
  assert_int_equal(spend_all(allowance, kStart + 100, kRate), 10);
  assert_int_equal(spend_all(allowance, kStart + 100'000, kRate), 10);
}

void what_comes_beyond_it_is_paid_later(void**) {
  PacketAllowance allowance;
  for (int i = 0; i < 15; ++i) allowance.spend(kStart, kRate);
  assert_int_equal(spend_all(allowance, kStart + 59, kRate), 0);
  assert_int_equal(spend_all(allowance, kStart + 60, kRate), 1);
}

void more_than_one_packet_a_millisecond(void**) {
  constexpr PacketAllowance::Rate kFast = {.count = 10'000, .window_ms = 1000};
  PacketAllowance allowance;
  spend_all(allowance, kStart, kFast);
  assert_int_equal(spend_all(allowance, kStart + 1, kFast), 10);
}

void a_count_of_0_is_no_limit(void**) {
  PacketAllowance allowance;
  for (int i = 0; i < 1000; ++i) allowance.spend(kStart, {});
  assert_true(allowance.open(kStart, {}));
  assert_int_equal(spend_all(allowance, kStart, kRate), 10);
}

}  // namespace

int main() {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_window_s_packets_may_come_at_once),
      cmocka_unit_test(then_one_by_one_at_the_rate),
      cmocka_unit_test(a_rest_earns_a_window_s_packets_and_no_more),
      cmocka_unit_test(what_comes_beyond_it_is_paid_later),
      cmocka_unit_test(more_than_one_packet_a_millisecond),
      cmocka_unit_test(a_count_of_0_is_no_limit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
