/* What an engine is at, and the times that it has measured, for its host. */
#include <stdlib.h>

#include "tests/capi/host.h"

static size_t bound_count(void) {
  sbx_histogram_info info;
  info.size = sizeof info;
  assert_ok(sbx_histogram_get(0, &info));
  return info.bound_count;
}

static void gauges_describe_themselves(void** state) {
  sbx_gauge_info info;
  int has_rooms = 0;
  size_t i;
  (void)state;
  info.size = sizeof info;
  for (i = 0; i < sbx_gauge_count(); ++i) {
    assert_ok(sbx_gauge_get(i, &info));
    assert_int_equal(info.size, sizeof info);
    assert_string_not_equal(info.doc, "");
    has_rooms += strcmp(info.name, "rooms") == 0;
  }
  assert_int_equal(has_rooms, 1);
}

static void histograms_describe_themselves(void** state) {
  sbx_histogram_info info;
  int has_joins = 0;
  size_t i;
  size_t bound;
  (void)state;
  info.size = sizeof info;
  for (i = 0; i < sbx_histogram_count(); ++i) {
    assert_ok(sbx_histogram_get(i, &info));
    assert_int_equal(info.size, sizeof info);
    assert_string_not_equal(info.doc, "");
    assert_true(info.bound_count > 1);
    for (bound = 1; bound < info.bound_count; ++bound) {
      assert_true(info.bounds[bound - 1] < info.bounds[bound]);
    }
    has_joins += strcmp(info.name, "join_duration") == 0;
  }
  assert_int_equal(has_joins, 1);
}

static void a_new_engine_is_at_nothing(void** state) {
  sbx_engine* engine = local_engine(NULL);
  const size_t bucket_count = bound_count() + 1;
  uint64_t* buckets = calloc(bucket_count, sizeof *buckets);
  size_t i;
  size_t bucket;
  (void)state;
  assert_non_null(buckets);
  for (i = 0; i < sbx_gauge_count(); ++i) {
    uint64_t value = 7;
    assert_ok(sbx_engine_gauge(engine, i, &value));
    assert_int_equal(value, 0);
  }
  for (i = 0; i < sbx_histogram_count(); ++i) {
    double sum = 7;
    for (bucket = 0; bucket < bucket_count; ++bucket) buckets[bucket] = 7;
    assert_ok(sbx_engine_histogram(engine, i, buckets, bucket_count, &sum));
    for (bucket = 0; bucket < bucket_count; ++bucket) assert_int_equal(buckets[bucket], 0);
    assert_true(sum == 0);
  }
  free(buckets);
  assert_ok(sbx_engine_destroy(engine));
}

static void what_is_not_allowed_is_refused(void** state) {
  sbx_engine* engine = local_engine(NULL);
  const size_t bucket_count = bound_count() + 1;
  uint64_t* buckets = calloc(bucket_count + 1, sizeof *buckets);
  sbx_gauge_info gauge;
  sbx_histogram_info histogram;
  uint64_t value = 7;
  double sum = 7;
  (void)state;
  assert_non_null(buckets);

  assert_refused(sbx_gauge_get(0, NULL), SBX_E_INVALID, "info");
  gauge.size = sizeof gauge - 1;
  assert_refused(sbx_gauge_get(0, &gauge), SBX_E_INVALID, "size");
  gauge.size = sizeof gauge;
  assert_refused(sbx_gauge_get(sbx_gauge_count(), &gauge), SBX_E_INVALID, "index");
  assert_refused(sbx_engine_gauge(NULL, 0, &value), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_gauge(engine, 0, NULL), SBX_E_INVALID, "value");
  assert_refused(sbx_engine_gauge(engine, sbx_gauge_count(), &value), SBX_E_INVALID, "index");
  assert_int_equal(value, 7);

  assert_refused(sbx_histogram_get(0, NULL), SBX_E_INVALID, "info");
  histogram.size = sizeof histogram - 1;
  assert_refused(sbx_histogram_get(0, &histogram), SBX_E_INVALID, "size");
  histogram.size = sizeof histogram;
  assert_refused(sbx_histogram_get(sbx_histogram_count(), &histogram), SBX_E_INVALID, "index");
  assert_refused(sbx_engine_histogram(NULL, 0, buckets, bucket_count, &sum), SBX_E_INVALID,
                 "engine");
  assert_refused(sbx_engine_histogram(engine, 0, NULL, bucket_count, &sum), SBX_E_INVALID,
                 "buckets");
  assert_refused(sbx_engine_histogram(engine, 0, buckets, bucket_count, NULL), SBX_E_INVALID,
                 "sum");
  assert_refused(sbx_engine_histogram(engine, sbx_histogram_count(), buckets, bucket_count, &sum),
                 SBX_E_INVALID, "index");
  assert_refused(sbx_engine_histogram(engine, 0, buckets, bucket_count - 1, &sum), SBX_E_INVALID,
                 "bucket_count");
  assert_refused(sbx_engine_histogram(engine, 0, buckets, bucket_count + 1, &sum), SBX_E_INVALID,
                 "bucket_count");
  assert_true(sum == 7);
  free(buckets);
  assert_ok(sbx_engine_destroy(engine));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gauges_describe_themselves),
      cmocka_unit_test(histograms_describe_themselves),
      cmocka_unit_test(a_new_engine_is_at_nothing),
      cmocka_unit_test(what_is_not_allowed_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
