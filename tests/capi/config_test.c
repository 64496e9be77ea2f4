/* Version, error texts, the table of options and setting them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "signalbox.h"

static void version_is_the_project_s(void** state) {
  char composed[64];
  (void)state;
  assert_string_equal(sbx_version(), PROJECT_VERSION);
  assert_string_equal(SBX_VERSION, PROJECT_VERSION);
  snprintf(composed, sizeof composed, "%d.%d.%d", SBX_VERSION_MAJOR, SBX_VERSION_MINOR,
           SBX_VERSION_PATCH);
  assert_string_equal(composed, PROJECT_VERSION);
}

static void error_values_are_fixed(void** state) {
  (void)state;
  assert_int_equal(SBX_OK, 0);
  assert_int_equal(SBX_E_INVALID, -1);
  assert_int_equal(SBX_E_STATE, -2);
  assert_int_equal(SBX_E_ADDRESS, -3);
  assert_int_equal(SBX_E_SYSTEM, -4);
  assert_int_equal(SBX_E_UNAVAILABLE, -5);
  assert_int_equal(SBX_E_INTERNAL, -6);
  assert_int_equal(SBX_E_TIMEOUT, -7);
  assert_int_equal(SBX_E_GONE, -8);
}

static void every_error_has_its_text(void** state) {
  int code;
  int other;
  (void)state;
  for (code = SBX_E_GONE; code <= SBX_OK; ++code) {
    assert_string_not_equal(sbx_error_text(code), sbx_error_text(1));
    for (other = code + 1; other <= SBX_OK; ++other) {
      assert_string_not_equal(sbx_error_text(code), sbx_error_text(other));
    }
  }
  assert_string_equal(sbx_error_text(1), "unknown error");
  assert_string_equal(sbx_error_text(SBX_E_GONE - 1), "unknown error");
}

static void options_describe_themselves(void** state) {
  const size_t count = sbx_option_count();
  sbx_config* config = sbx_config_new();
  size_t i;
  int seen_port = 0;
  int seen_live = 0;
  (void)state;
  assert_true(count > 20);
  for (i = 0; i < count; ++i) {
    sbx_option_info info;
    memset(&info, 0, sizeof info);
    info.size = sizeof info;
    assert_int_equal(sbx_option_get(i, &info), SBX_OK);
    assert_int_equal(info.size, sizeof info);
    assert_true(strlen(info.name) > 0 && strlen(info.doc) > 0);
    assert_non_null(info.unit);
    /* A default is a value that may be set. */
    assert_int_equal(sbx_config_set(config, info.name, info.default_value), SBX_OK);
    if (strcmp(info.name, "listen.port") == 0) {
      seen_port = 1;
      assert_int_equal(info.type, SBX_OPTION_INTEGER);
      assert_int_equal(info.minimum, 0);
      assert_int_equal(info.maximum, 65535);
      assert_string_equal(info.default_value, "3001");
      assert_int_equal(info.live, 0);
    }
    if (info.live != 0) seen_live = 1;
  }
  assert_true(seen_port && seen_live);
  sbx_config_free(config);
}

static void option_get_refuses(void** state) {
  sbx_option_info info;
  (void)state;
  memset(&info, 0x5a, sizeof info);
  info.size = sizeof info;
  assert_int_equal(sbx_option_get(sbx_option_count(), &info), SBX_E_INVALID);
  assert_int_equal(sbx_option_get(0, NULL), SBX_E_INVALID);
  info.size = offsetof(sbx_option_info, doc); /* less than version 1.0 has */
  assert_int_equal(sbx_option_get(0, &info), SBX_E_INVALID);
  assert_int_equal(((const unsigned char*)&info)[sizeof info - 1], 0x5a);
}

static void option_get_serves_a_program_of_version_1_0(void** state) {
  sbx_option_info info;
  (void)state;
  memset(&info, 0x5a, sizeof info);
  info.size = offsetof(sbx_option_info, doc) + sizeof info.doc;
  assert_int_equal(sbx_option_get(0, &info), SBX_OK);
  assert_true(strlen(info.doc) > 0);
  assert_int_equal(info.live, 0x5a5a5a5a);
}

static void option_get_fills_no_more_than_it_knows(void** state) {
  struct {
    sbx_option_info info;
    char newer[16]; /* members of a later version */
  } larger;
  (void)state;
  memset(&larger, 0x5a, sizeof larger);
  larger.info.size = sizeof larger;
  assert_int_equal(sbx_option_get(0, &larger.info), SBX_OK);
  assert_int_equal(larger.newer[0], 0x5a);
}

static void set_accepts(void** state) {
  sbx_config* config = sbx_config_new();
  (void)state;
  assert_non_null(config);
  assert_int_equal(sbx_config_set(config, "listen.port", "0"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "limits.join_enabled", "off"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "cors.origins", ""), SBX_OK);
  sbx_config_free(config);
}

static void set_names_what_is_wrong(void** state) {
  sbx_config* config = sbx_config_new();
  (void)state;
  assert_int_equal(sbx_config_set(config, "listen.prot", "1"), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "listen.prot"));
  assert_non_null(strstr(sbx_last_error(), "listen.port"));
  assert_int_equal(sbx_config_set(config, "listen.port", "65536"), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "listen.port"));
  assert_non_null(strstr(sbx_last_error(), "65536"));
  assert_non_null(strstr(sbx_last_error(), "65535"));
  assert_int_equal(sbx_config_set(config, "limits.join_enabled", "maybe"), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "maybe"));
  sbx_config_free(config);
}

static void check_names_all_that_does_not_fit_together(void** state) {
  sbx_config* config = sbx_config_new();
  (void)state;
  assert_int_equal(sbx_config_check(config), SBX_OK);
  assert_int_equal(sbx_config_set(config, "redis.master_name", "mymaster"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "auth.jwt_hs256_key", "short"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "proxy.trusted", "10.0.0.0/33"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "http.headers", "x-one"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "tls.cert", "/nonexistent"), SBX_OK);
  assert_int_equal(sbx_config_check(config), SBX_E_INVALID);
  assert_string_equal(sbx_last_error(),
                      "option redis.master_name: is of no use without redis.sentinels\n"
                      "option auth.jwt_hs256_key: needs 32 bytes at least\n"
                      "option proxy.trusted: '10.0.0.0/33' is not allowed; addresses or networks "
                      "such as 10.0.0.0/8 or ::1\n"
                      "option tls.cert: needs tls.key");
  /* Without rooms neither Redis nor tokens are used. */
  assert_int_equal(sbx_config_set(config, "signaling.enabled", "false"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "proxy.trusted", ""), SBX_OK);
  assert_int_equal(sbx_config_set(config, "tls.cert", ""), SBX_OK);
  assert_int_equal(sbx_config_check(config), SBX_OK);
  sbx_config_free(config);
  assert_int_equal(sbx_config_check(NULL), SBX_E_INVALID);
}

static void set_refuses_null(void** state) {
  sbx_config* config = sbx_config_new();
  (void)state;
  assert_int_equal(sbx_config_set(NULL, "listen.port", "1"), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "config"));
  assert_int_equal(sbx_config_set(config, NULL, "1"), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "name"));
  assert_int_equal(sbx_config_set(config, "listen.port", NULL), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "value"));
  assert_int_equal(sbx_config_set(config, "no", "1"), SBX_E_INVALID);
  assert_int_equal(sbx_config_set(config, "no", "1"), SBX_E_INVALID);
  sbx_config_free(config);
  sbx_config_free(NULL);
}

static void* fail_elsewhere(void* config) {
  assert_string_equal(sbx_last_error(), "");
  sbx_config_set(config, "elsewhere", "1");
  assert_non_null(strstr(sbx_last_error(), "elsewhere"));
  return NULL;
}

static void the_last_error_is_the_thread_s(void** state) {
  sbx_config* config = sbx_config_new();
  pthread_t other;
  (void)state;
  assert_int_equal(sbx_config_set(config, "here", "1"), SBX_E_INVALID);
  assert_int_equal(sbx_config_set(config, "listen.port", "1"), SBX_OK);
  assert_int_equal(pthread_create(&other, NULL, fail_elsewhere, config), 0);
  pthread_join(other, NULL);
  assert_non_null(strstr(sbx_last_error(), "here"));
  assert_null(strstr(sbx_last_error(), "elsewhere"));
  sbx_config_free(config);
}

static void log_level_is_checked(void** state) {
  sbx_config* config = sbx_config_new();
  (void)state;
  assert_int_equal(sbx_config_set_log_level(config, SBX_LOG_ERROR), SBX_OK);
  assert_int_equal(sbx_config_set_log_level(config, SBX_LOG_DEBUG), SBX_OK);
  assert_int_equal(sbx_config_set_log_level(config, SBX_LOG_DEBUG + 1), SBX_E_INVALID);
  assert_int_equal(sbx_config_set_log_level(config, -1), SBX_E_INVALID);
  assert_int_equal(sbx_config_set_log_level(NULL, SBX_LOG_INFO), SBX_E_INVALID);
  sbx_config_free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(version_is_the_project_s),
      cmocka_unit_test(error_values_are_fixed),
      cmocka_unit_test(every_error_has_its_text),
      cmocka_unit_test(options_describe_themselves),
      cmocka_unit_test(option_get_refuses),
      cmocka_unit_test(option_get_serves_a_program_of_version_1_0),
      cmocka_unit_test(option_get_fills_no_more_than_it_knows),
      cmocka_unit_test(set_accepts),
      cmocka_unit_test(set_names_what_is_wrong),
      cmocka_unit_test(check_names_all_that_does_not_fit_together),
      cmocka_unit_test(set_refuses_null),
      cmocka_unit_test(the_last_error_is_the_thread_s),
      cmocka_unit_test(log_level_is_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
