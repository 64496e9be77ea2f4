/* Engines leave nothing behind: threads, descriptors, and, under AddressSanitizer, memory. Two in
 * one process have nothing to do with each other. */
#include <time.h>
#include <uv.h>

#include "tests/capi/host.h"

static int threads_before;
static int descriptors_before;

static int count_before(void** state) {
  (void)state;
  /* What the libraries keep from the first time on is not ours. */
  sbx_engine* engine = local_engine(NULL);
  assert_ok(sbx_engine_start(engine));
  assert_ok(sbx_engine_destroy(engine));
  threads_before = count_of("task");
  descriptors_before = count_of("fd");
  return 0;
}

/* A thread that has been joined is listed by the kernel for a moment yet. */
static int count_after(void** state) {
  const struct timespec moment = {0, 1000000};
  (void)state;
  for (int i = 0; i < 2000 && count_of("task") > threads_before; ++i) nanosleep(&moment, NULL);
  assert_in_range(count_of("task"), 1, threads_before);
  assert_int_equal(count_of("fd"), descriptors_before);
  return 0;
}

static void create_and_destroy(void** state) {
  (void)state;
  for (int i = 0; i < 1000; ++i) assert_ok(sbx_engine_destroy(local_engine(NULL)));
}

static void program_and_destroy(void** state) {
  (void)state;
  for (int i = 0; i < 100; ++i) {
    sbx_engine* engine = local_engine(NULL);
    assert_ok(sbx_engine_add_namespace(engine, "/n", NULL));
    assert_ok(sbx_engine_on(engine, "/", "e", NULL, NULL));
    assert_ok(sbx_engine_mount(engine, "/m", NULL, NULL));
    assert_ok(sbx_engine_destroy(engine));
  }
}

static void start_stop_and_destroy(void** state) {
  (void)state;
  for (int i = 0; i < 200; ++i) {
    sbx_engine* engine = local_engine(NULL);
    assert_ok(sbx_engine_start(engine));
    if (i % 2 == 0) assert_ok(sbx_engine_stop(engine));
    assert_ok(sbx_engine_destroy(engine));
  }
}

static void open_and_destroy(void** state) {
  (void)state;
  for (int i = 0; i < 100; ++i) {
    sbx_engine* engine = local_engine(NULL);
    assert_ok(sbx_engine_open(engine));
    assert_ok(sbx_engine_destroy(engine));
  }
}

static void attach_stop_and_destroy(void** state) {
  uv_loop_t loop;
  (void)state;
  uv_loop_init(&loop);
  for (int i = 0; i < 100; ++i) {
    sbx_engine* engine = local_engine(NULL);
    assert_ok(sbx_engine_attach(engine, &loop));
    assert_ok(sbx_engine_stop(engine));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_ok(sbx_engine_destroy(engine));
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&loop), 0);
}

static void starts_that_fail(void** state) {
  char port[8];
  (void)state;
  sbx_engine* first = local_engine(NULL);
  assert_ok(sbx_engine_start(first));
  snprintf(port, sizeof port, "%u", (unsigned)sbx_engine_port(first));
  sbx_config* config = local_config(port);
  for (int i = 0; i < 100; ++i) {
    sbx_engine* engine = NULL;
    assert_ok(sbx_engine_create(config, NULL, &engine));
    assert_int_equal(i % 2 == 0 ? sbx_engine_start(engine) : sbx_engine_open(engine),
                     SBX_E_ADDRESS);
    assert_ok(sbx_engine_destroy(engine));
  }
  sbx_config_free(config);
  assert_ok(sbx_engine_destroy(first));
}

static void sockets_come_and_go(void** state) {
  char session[64];
  char socket_id[64];
  (void)state;
  for (int i = 0; i < 10; ++i) {
    sbx_engine* engine = local_engine(NULL);
    assert_ok(sbx_engine_add_namespace(engine, "/", NULL));
    assert_ok(sbx_engine_start(engine));
    for (int k = 0; k < 5; ++k) {
      connect_socket(sbx_engine_port(engine), session, socket_id);
      assert_string_not_equal(socket_id, "");
      assert_ok(sbx_join(engine, socket_id, "room"));
      if (k % 2 == 0) assert_ok(sbx_disconnect(engine, socket_id, 1));
    }
    assert_ok(sbx_engine_destroy(engine));
  }
}

static void two_engines_exchange_nothing(void** state) {
  sbx_engine* engines[2];
  char sessions[2][64];
  char sockets[2][64];
  char answer[2048];
  (void)state;
  for (int i = 0; i < 2; ++i) {
    engines[i] = local_engine(NULL);
    assert_ok(sbx_engine_add_namespace(engines[i], "/", NULL));
    assert_ok(sbx_engine_start(engines[i]));
    connect_socket(sbx_engine_port(engines[i]), sessions[i], sockets[i]);
    assert_string_not_equal(sockets[i], "");
    assert_ok(sbx_join(engines[i], sockets[i], "room"));
  }
  /* What the first says, to all or to the other's socket, stays with it. */
  assert_ok(sbx_broadcast(engines[0], "/", NULL, NULL, "first", NULL, NULL, 0));
  assert_ok(sbx_broadcast(engines[0], "/", "room", NULL, "first", NULL, NULL, 0));
  assert_ok(sbx_emit(engines[0], sockets[1], "first", NULL, NULL, 0));
  assert_ok(sbx_disconnect(engines[0], sockets[1], 1));
  polling(sbx_engine_port(engines[0]), sessions[0], NULL, answer, sizeof answer);
  assert_non_null(strstr(answer, "first"));
  polling(sbx_engine_port(engines[1]), sessions[0], NULL, answer, sizeof answer);
  assert_non_null(strstr(answer, "400"));
  assert_ok(sbx_engine_destroy(engines[0]));
  assert_ok(sbx_emit(engines[1], sockets[1], "second", NULL, NULL, 0));
  polling(sbx_engine_port(engines[1]), sessions[1], NULL, answer, sizeof answer);
  assert_non_null(strstr(answer, "second"));
  assert_null(strstr(answer, "first"));
  assert_ok(sbx_engine_destroy(engines[1]));
}

int main(void) {
#define counted(test) cmocka_unit_test_setup_teardown(test, count_before, count_after)
  const struct CMUnitTest tests[] = {
      counted(create_and_destroy),      counted(program_and_destroy),
      counted(start_stop_and_destroy),  counted(open_and_destroy),
      counted(attach_stop_and_destroy), counted(starts_that_fail),
      counted(sockets_come_and_go),     counted(two_engines_exchange_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
