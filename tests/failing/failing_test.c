/* Fails, so that the runner can be seen to notice. ctest runs it only under -C failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void fails(void** state) {
  (void)state;
  assert_true(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fails)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
