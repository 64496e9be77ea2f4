#include "engine/core/counters.h"

#include <set>

#include "tests/unit/unit_test.h"

using signalbox::CounterInfo;
using signalbox::Counters;
using signalbox::kCounters;

namespace {

void the_table_names_every_counter_once(void**) {
  std::set<std::string> names;
  for (const CounterInfo& info : kCounters) {
    names.insert(info.name);
    assert_for(info.name, *info.doc != '\0');
  }
  assert_int_equal(names.size(), std::size(kCounters));
  assert_int_equal(sizeof(Counters),
                   std::size(kCounters) * sizeof(signalbox::Counter) +
                       std::size(signalbox::kGauges) * sizeof(signalbox::Gauge) +
                       std::size(signalbox::kHistograms) * sizeof(signalbox::Histogram));
}

void a_row_leads_to_the_counter_of_its_name(void**) {
  Counters counters;
  counters.relays += 7;
  for (const CounterInfo& info : kCounters) {
    assert_int_equal(counters.*info.value, std::string_view(info.name) == "relays" ? 7 : 0);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_table_names_every_counter_once),
      cmocka_unit_test(a_row_leads_to_the_counter_of_its_name),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
