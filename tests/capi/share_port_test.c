/* Engines that share a port: when they may, and that they may end in any order. */
#include "tests/capi/host.h"

/* Engines that share a port, so far without listening. */
static void create(sbx_engine** engines, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    engines[i] = local_engine(NULL);
    if (i > 0) assert_ok(sbx_engine_share_port(engines[i], engines[i - 1]));
  }
}

static void assert_serves(uint16_t port) {
  char answer[1024];
  const int fd = dial(port);
  assert_true(fd >= 0);
  say(fd, kRequest);
  hear(fd, answer, sizeof answer);
  close(fd);
  assert_non_null(strstr(answer, "404"));
}

static void checks_its_arguments(void** state) {
  (void)state;
  sbx_engine* engines[3];
  create(engines, 2);
  engines[2] = local_engine(NULL);
  assert_refused(sbx_engine_share_port(NULL, engines[0]), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_share_port(engines[0], NULL), SBX_E_INVALID, "with");
  assert_refused(sbx_engine_share_port(engines[2], engines[2]), SBX_E_INVALID, "another");
  assert_refused(sbx_engine_share_port(engines[0], engines[2]), SBX_E_STATE, "already");
  const char* const differing[][2] = {
      {"listen.port", "1"}, {"listen.host", "::1"}, {"listen.fd", "9"}, {"socketio.path", "/x/"}};
  for (size_t i = 0; i < sizeof differing / sizeof *differing; ++i) {
    sbx_config* config = local_config("0");
    sbx_engine* other = NULL;
    assert_ok(sbx_config_set(config, differing[i][0], differing[i][1]));
    assert_ok(sbx_engine_create(config, NULL, &other));
    sbx_config_free(config);
    assert_refused(sbx_engine_share_port(other, engines[0]), SBX_E_INVALID, differing[i][0]);
    assert_ok(sbx_engine_destroy(other));
  }
  assert_ok(sbx_engine_start(engines[1]));
  assert_refused(sbx_engine_share_port(engines[2], engines[0]), SBX_E_STATE, "listen");
  assert_ok(sbx_engine_start(engines[2]));
  assert_refused(sbx_engine_share_port(engines[2], engines[0]), SBX_E_STATE, "listen");
  for (size_t i = 0; i < 3; ++i) assert_ok(sbx_engine_destroy(engines[i]));
}

static void no_more_than_64_share_a_port(void** state) {
  (void)state;
  sbx_engine* engines[64];
  create(engines, 64);
  sbx_engine* one_more = local_engine(NULL);
  assert_refused(sbx_engine_share_port(one_more, engines[0]), SBX_E_INVALID, "64");
  assert_ok(sbx_engine_destroy(one_more));
  for (size_t i = 0; i < 64; ++i) assert_ok(sbx_engine_destroy(engines[i]));
}

static void one_port_is_chosen_for_all_and_given_back(void** state) {
  (void)state;
  sbx_engine* engines[3];
  create(engines, 3);
  const int before = count_of("fd");
  for (size_t i = 0; i < 3; ++i) assert_ok(sbx_engine_start(engines[i]));
  const uint16_t port = sbx_engine_port(engines[0]);
  for (size_t i = 0; i < 3; ++i) assert_int_equal(sbx_engine_port(engines[i]), port);
  assert_serves(port);
  for (size_t i = 0; i < 3; ++i) assert_ok(sbx_engine_destroy(engines[i]));
  assert_int_equal(dial(port), -1);
  assert_true(count_of("fd") <= before);
}

static void they_may_end_in_any_order_while_others_serve(void** state) {
  (void)state;
  const size_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};
  for (size_t round = 0; round < sizeof orders / sizeof *orders; ++round) {
    sbx_engine* engines[3];
    create(engines, 3);
    for (size_t i = 0; i < 3; ++i) assert_ok(sbx_engine_start(engines[i]));
    const uint16_t port = sbx_engine_port(engines[0]);
    for (size_t i = 0; i < 3; ++i) {
      char answer[2048];
      char sid[64];
      polling(port, "", NULL, answer, sizeof answer);
      read_sid(answer, sid, sizeof sid);
      assert_int_equal(strlen(sid), 21);
      polling(port, sid, "40", answer, sizeof answer);
      assert_non_null(strstr(answer, "200 OK"));
      assert_serves(port);
      sbx_engine* ending = engines[orders[round][i]];
      assert_ok(sbx_engine_stop(ending));
      if (round % 2 == 0) assert_ok(sbx_engine_join(ending));
      assert_ok(sbx_engine_destroy(ending));
      /* Whoever had it: it is served, or known no more. */
      polling(port, sid, "3", answer, sizeof answer);
      if (i < 2)
        assert_true(strstr(answer, "200 OK") != NULL || strstr(answer, "\"code\":1") != NULL);
    }
    assert_int_equal(dial(port), -1);
  }
}

static void one_that_never_listens_harms_nobody(void** state) {
  (void)state;
  sbx_engine* engines[3];
  create(engines, 3);
  assert_ok(sbx_engine_start(engines[2]));
  const uint16_t port = sbx_engine_port(engines[2]);
  assert_ok(sbx_engine_destroy(engines[0]));
  for (int i = 0; i < 5; ++i) assert_serves(port);
  char answer[2048];
  polling(port, "AAAAAAAAAAAAAAAAAAAAA", NULL, answer, sizeof answer);
  assert_non_null(strstr(answer, "\"code\":1"));
  assert_ok(sbx_engine_destroy(engines[2]));
  assert_ok(sbx_engine_destroy(engines[1]));
}

/* Engines of different kinds: one on a thread of its own, one that this thread serves. */
static void an_engine_that_is_served_turn_by_turn_may_take_part(void** state) {
  (void)state;
  sbx_engine* engines[2];
  create(engines, 2);
  assert_ok(sbx_engine_start(engines[0]));
  assert_ok(sbx_engine_open(engines[1]));
  const uint16_t port = sbx_engine_port(engines[0]);
  int clients[8];
  for (size_t i = 0; i < 8; ++i) {
    clients[i] = dial(port);
    say(clients[i], kRequest);
  }
  for (int turn = 0; turn < 50; ++turn) assert_ok(sbx_engine_run_once(engines[1], 10));
  for (size_t i = 0; i < 8; ++i) {
    char answer[1024];
    hear(clients[i], answer, sizeof answer);
    close(clients[i]);
    assert_non_null(strstr(answer, "404"));
  }
  assert_ok(sbx_engine_destroy(engines[0]));
  assert_ok(sbx_engine_destroy(engines[1]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checks_its_arguments),
      cmocka_unit_test(no_more_than_64_share_a_port),
      cmocka_unit_test(one_port_is_chosen_for_all_and_given_back),
      cmocka_unit_test(they_may_end_in_any_order_while_others_serve),
      cmocka_unit_test(one_that_never_listens_harms_nobody),
      cmocka_unit_test(an_engine_that_is_served_turn_by_turn_may_take_part),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
