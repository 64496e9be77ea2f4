/* What an engine has counted, for its host. */
#include "tests/capi/host.h"

static size_t index_of(const char* name) {
  sbx_counter_info info;
  size_t i;
  info.size = sizeof info;
  for (i = 0; i < sbx_counter_count(); ++i) {
    assert_ok(sbx_counter_get(i, &info));
    if (strcmp(info.name, name) == 0) return i;
  }
  fail_msg("there is no counter %s", name);
  return 0;
}

static uint64_t counted(const sbx_engine* engine, const char* name) {
  uint64_t value = UINT64_MAX;
  assert_ok(sbx_engine_counter(engine, index_of(name), &value));
  return value;
}

static void counters_describe_themselves(void** state) {
  sbx_counter_info info;
  size_t i;
  (void)state;
  info.size = sizeof info;
  assert_true(sbx_counter_count() > 30);
  for (i = 0; i < sbx_counter_count(); ++i) {
    assert_ok(sbx_counter_get(i, &info));
    assert_int_equal(info.size, sizeof info);
    assert_string_not_equal(info.name, "");
    assert_string_not_equal(info.doc, "");
    assert_int_equal(index_of(info.name), i);
  }
}

static void an_engine_counts_for_its_host(void** state) {
  sbx_engine* engine = local_engine(NULL);
  int fd;
  char answer[256];
  (void)state;
  assert_int_equal(counted(engine, "http_requests"), 0);
  assert_ok(sbx_engine_start(engine));
  fd = dial(sbx_engine_port(engine));
  say(fd, kRequest);
  assert_true(recv(fd, answer, sizeof answer, 0) > 0);
  close(fd);
  assert_int_equal(counted(engine, "http_requests"), 1);
  assert_int_equal(counted(engine, "upgrades"), 0);
  assert_ok(sbx_engine_stop(engine));
  assert_ok(sbx_engine_join(engine));
  assert_int_equal(counted(engine, "http_requests"), 1);
  assert_ok(sbx_engine_destroy(engine));
}

static void what_is_not_allowed_is_refused(void** state) {
  sbx_engine* engine = local_engine(NULL);
  sbx_counter_info info;
  uint64_t value = 7;
  (void)state;
  assert_refused(sbx_counter_get(0, NULL), SBX_E_INVALID, "info");
  info.size = sizeof info - 1;
  assert_refused(sbx_counter_get(0, &info), SBX_E_INVALID, "size");
  info.size = sizeof info;
  assert_refused(sbx_counter_get(sbx_counter_count(), &info), SBX_E_INVALID, "index");
  assert_refused(sbx_engine_counter(NULL, 0, &value), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_counter(engine, 0, NULL), SBX_E_INVALID, "value");
  assert_refused(sbx_engine_counter(engine, sbx_counter_count(), &value), SBX_E_INVALID, "index");
  assert_int_equal(value, 7);
  assert_ok(sbx_engine_destroy(engine));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counters_describe_themselves),
      cmocka_unit_test(an_engine_counts_for_its_host),
      cmocka_unit_test(what_is_not_allowed_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
