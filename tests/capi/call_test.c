/* sbx_engine_call: a function of the host's on the engine's thread. */
#include <pthread.h>

#include "tests/capi/host.h"

static struct {
  sbx_engine* engine;
  pthread_t thread;
  int calls;
} seen;

static void on_call(void* user) {
  (void)user;
  seen.thread = pthread_self();
  ++seen.calls;
}

/* It is a callback: what may not be done in one may not be done here. */
static void calls_again(void* user) {
  on_call(user);
  assert_refused(sbx_engine_join(seen.engine), SBX_E_STATE, "callback");
  assert_ok(sbx_engine_call(seen.engine, on_call, NULL));
  assert_int_equal(seen.calls, 1);
}

static int setup(void** state) {
  (void)state;
  memset(&seen, 0, sizeof seen);
  seen.engine = local_engine(NULL);
  return 0;
}

static void comes_on_the_thread_of_the_engine(void** state) {
  (void)state;
  assert_ok(sbx_engine_open(seen.engine));
  assert_ok(sbx_engine_call(seen.engine, calls_again, NULL));
  assert_int_equal(seen.calls, 0);
  while (seen.calls < 2) assert_ok(sbx_engine_run_once(seen.engine, 1000));
  assert_true(pthread_equal(seen.thread, pthread_self()));
  assert_ok(sbx_engine_destroy(seen.engine));
}

static void comes_also_when_the_engine_ends(void** state) {
  (void)state;
  assert_ok(sbx_engine_start(seen.engine));
  for (int i = 0; i < 100; ++i) assert_ok(sbx_engine_call(seen.engine, on_call, NULL));
  assert_ok(sbx_engine_destroy(seen.engine));
  assert_int_equal(seen.calls, 100);
  assert_false(pthread_equal(seen.thread, pthread_self()));
}

static void refuses_no_function(void** state) {
  (void)state;
  assert_refused(sbx_engine_call(seen.engine, NULL, NULL), SBX_E_INVALID, "function");
  assert_ok(sbx_engine_destroy(seen.engine));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(comes_on_the_thread_of_the_engine, setup),
      cmocka_unit_test_setup(comes_also_when_the_engine_ends, setup),
      cmocka_unit_test_setup(refuses_no_function, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
