/* Options that change while the engine serves. */
#include <stdatomic.h>
#include <time.h>

#include "tests/capi/host.h"

static sbx_engine* engine;

static int setup(void** state) {
  (void)state;
  engine = local_engine(NULL);
  assert_ok(sbx_engine_start(engine));
  return 0;
}

static int teardown(void** state) {
  (void)state;
  assert_ok(sbx_engine_destroy(engine));
  return 0;
}

static void on_release(void* data) {
  atomic_store((atomic_int*)data, 1);
}

/* Returns when the engine has carried out what it was told before. */
static void await_engine(void) {
  const struct timespec pause = {.tv_sec = 0, .tv_nsec = 1000000};
  atomic_int done = 0;
  assert_ok(sbx_set_data(engine, "AAAAAAAAAAAAAAAAAAAA", &done, on_release));
  for (int i = 0; i < 10000 && atomic_load(&done) == 0; ++i) nanosleep(&pause, NULL);
  assert_int_equal(atomic_load(&done), 1);
}

/* The status of the handshake of a new session. */
static int handshake(void) {
  char answer[2048];
  int status = 0;
  polling(sbx_engine_port(engine), "", NULL, answer, sizeof answer);
  (void)sscanf(answer, "HTTP/1.1 %d", &status);
  return status;
}

static void set(const char* name, const char* value) {
  assert_ok(sbx_engine_set(engine, name, value));
  await_engine();
}

static void a_limit_holds_from_then_on(void** state) {
  (void)state;
  assert_int_equal(handshake(), 200);
  assert_int_equal(handshake(), 200);
  set("limits.connections", "2");
  assert_int_equal(handshake(), 503); /* those that there are stay and count */
  set("limits.connections", "3");
  assert_int_equal(handshake(), 200);
}

static void the_last_of_several_counts(void** state) {
  (void)state;
  assert_ok(sbx_engine_set(engine, "limits.connections", "1"));
  assert_ok(sbx_engine_set(engine, "limits.connections", "5"));
  await_engine();
  assert_int_equal(handshake(), 200);
  assert_int_equal(handshake(), 200);
}

static void what_is_not_allowed_changes_nothing(void** state) {
  (void)state;
  assert_refused(sbx_engine_set(NULL, "limits.connections", "1"), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_set(engine, NULL, "1"), SBX_E_INVALID, "name");
  assert_refused(sbx_engine_set(engine, "limits.connections", NULL), SBX_E_INVALID, "value");
  assert_refused(sbx_engine_set(engine, "limits.conections", "1"), SBX_E_INVALID,
                 "limits.connections");
  assert_refused(sbx_engine_set(engine, "limits.connections", "0"), SBX_E_INVALID, "1000000");
  assert_refused(sbx_engine_set(engine, "listen.port", "0"), SBX_E_INVALID, "while the engine");
  assert_refused(sbx_engine_set_log_level(NULL, SBX_LOG_INFO), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_set_log_level(engine, SBX_LOG_DEBUG + 1), SBX_E_INVALID, "level");
  assert_refused(sbx_engine_set_log_level(engine, -1), SBX_E_INVALID, "level");
  await_engine();
  assert_int_equal(handshake(), 200);
}

static void option_info_tells_which(void** state) {
  size_t i;
  (void)state;
  for (i = 0; i < sbx_option_count(); ++i) {
    sbx_option_info info;
    info.size = sizeof info;
    assert_ok(sbx_option_get(i, &info));
    assert_int_equal(sbx_engine_set(engine, info.name, info.default_value),
                     info.live != 0 ? SBX_OK : SBX_E_INVALID);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_limit_holds_from_then_on, setup, teardown),
      cmocka_unit_test_setup_teardown(the_last_of_several_counts, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_not_allowed_changes_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(option_info_tells_which, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
