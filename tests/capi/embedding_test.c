/* Engines on loops of the host's: a libuv loop, and one that waits by poll(). */
#include <poll.h>
#include <pthread.h>
#include <uv.h>

#include "tests/capi/host.h"

/* What an engine told, and what a client of its made of it. */
struct host {
  sbx_engine* engine;
  uint16_t port;
  int started;
  int stopped;
  sbx_error inside; /* of what cannot be called inside a callback */
  pthread_t thread; /* of the callbacks */
  char answer[512];
};

static void on_started(void* user, uint16_t port) {
  struct host* host = user;
  host->started++;
  host->port = port;
  host->thread = pthread_self();
}

static void on_stopped(void* user) {
  struct host* host = user;
  host->stopped++;
  host->inside = sbx_engine_destroy(host->engine);
}

static void on_hello(void* user, const sbx_http_request* request) {
  struct host* host = user;
  assert_true(pthread_equal(host->thread, pthread_self()));
  assert_int_equal(sbx_engine_run_once(host->engine, 0), SBX_E_STATE);
  assert_ok(sbx_http_respond(host->engine, request->ticket, 200, NULL, 0, "hello", 5));
}

static void create_on(struct host* host, const char* port) {
  sbx_config* config = local_config(port);
  sbx_callbacks callbacks;
  memset(host, 0, sizeof *host);
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.size = sizeof callbacks;
  callbacks.user = host;
  callbacks.started = on_started;
  callbacks.stopped = on_stopped;
  assert_ok(sbx_engine_create(config, &callbacks, &host->engine));
  assert_ok(sbx_engine_mount(host->engine, "/hello", on_hello, host));
  sbx_config_free(config);
}

static void create(struct host* host) {
  create_on(host, "0");
}

static void get_hello(struct host* host) {
  const int fd = dial(host->port);
  say(fd, kRequest);
  hear(fd, host->answer, sizeof host->answer);
  close(fd);
}

/* A client on a thread of its own, which stops the engine when it has its answer. */
static void* get_and_stop(void* user) {
  struct host* host = user;
  get_hello(host);
  sbx_engine_stop(host->engine);
  return NULL;
}

static pthread_t begin_client(struct host* host) {
  pthread_t client;
  assert_int_equal(pthread_create(&client, NULL, get_and_stop, host), 0);
  return client;
}

static void assert_greeted(const struct host* host) {
  assert_non_null(strstr(host->answer, "200 OK"));
  assert_string_equal(strstr(host->answer, "\r\n\r\n"), "\r\n\r\nhello");
}

static void assert_ended(const struct host* host) {
  assert_int_equal(host->started, 1);
  assert_int_equal(host->stopped, 1);
  assert_int_equal(host->inside, SBX_E_STATE);
  assert_int_equal(sbx_engine_port(host->engine), 0);
}

/* The host's loop, with what it needs to be closed. */
static void close_loop(uv_loop_t* loop) {
  uv_run(loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(loop), 0);
}

static void an_attached_engine_serves_on_the_loop(void** state) {
  uv_loop_t loop;
  struct host host;
  (void)state;
  uv_loop_init(&loop);
  create(&host);
  assert_ok(sbx_engine_attach(host.engine, &loop));
  assert_int_equal(host.started, 1);
  assert_int_equal(sbx_engine_port(host.engine), host.port);
  assert_int_equal(sbx_engine_poll_fd(host.engine), -1);
  assert_int_equal(sbx_engine_poll_timeout(host.engine), -1);
  assert_refused(sbx_engine_run_once(host.engine, 0), SBX_E_STATE, "open");
  assert_refused(sbx_engine_attach(host.engine, &loop), SBX_E_STATE, "before");
  assert_refused(sbx_engine_destroy(host.engine), SBX_E_STATE, "attached");
  const pthread_t client = begin_client(&host);
  uv_run(&loop, UV_RUN_DEFAULT); /* ends with the engine */
  pthread_join(client, NULL);
  assert_greeted(&host);
  assert_ended(&host);
  assert_ok(sbx_engine_destroy(host.engine));
  close_loop(&loop);
}

static void an_attached_engine_is_not_destroyed_before_its_end(void** state) {
  uv_loop_t loop;
  struct host host;
  (void)state;
  uv_loop_init(&loop);
  create(&host);
  assert_ok(sbx_engine_attach(host.engine, &loop));
  assert_ok(sbx_engine_stop(host.engine));
  while (host.stopped == 0) {
    assert_int_equal(sbx_engine_destroy(host.engine), SBX_E_STATE);
    uv_run(&loop, UV_RUN_ONCE);
  }
  assert_ended(&host);
  assert_ok(sbx_engine_destroy(host.engine));
  close_loop(&loop);
}

static void attaching_to_a_port_in_use(void** state) {
  uv_loop_t loop;
  struct host first;
  struct host second;
  char port[8];
  (void)state;
  uv_loop_init(&loop);
  create(&first);
  assert_ok(sbx_engine_attach(first.engine, &loop));
  snprintf(port, sizeof port, "%u", (unsigned)first.port);
  create_on(&second, port);
  assert_refused(sbx_engine_attach(second.engine, &loop), SBX_E_ADDRESS, port);
  assert_int_equal(sbx_engine_port(second.engine), 0);
  assert_ok(sbx_engine_destroy(second.engine));
  assert_int_equal(second.started + second.stopped, 0);
  /* The first is not harmed. */
  const pthread_t client = begin_client(&first);
  uv_run(&loop, UV_RUN_DEFAULT);
  pthread_join(client, NULL);
  assert_greeted(&first);
  assert_ok(sbx_engine_destroy(first.engine));
  close_loop(&loop);
}

static void a_failed_attach_lets_the_loop_end(void** state) {
  uv_loop_t loop;
  struct host first;
  struct host second;
  char port[8];
  (void)state;
  create(&first);
  assert_ok(sbx_engine_start(first.engine));
  snprintf(port, sizeof port, "%u", (unsigned)first.port);
  uv_loop_init(&loop);
  create_on(&second, port);
  assert_refused(sbx_engine_attach(second.engine, &loop), SBX_E_ADDRESS, port);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_ok(sbx_engine_destroy(second.engine));
  close_loop(&loop);
  assert_ok(sbx_engine_destroy(first.engine));
}

static void two_engines_share_a_loop(void** state) {
  uv_loop_t loop;
  struct host hosts[2];
  pthread_t clients[2];
  (void)state;
  uv_loop_init(&loop);
  for (int i = 0; i < 2; ++i) {
    create(&hosts[i]);
    assert_ok(sbx_engine_attach(hosts[i].engine, &loop));
  }
  for (int i = 0; i < 2; ++i) clients[i] = begin_client(&hosts[i]);
  uv_run(&loop, UV_RUN_DEFAULT);
  for (int i = 0; i < 2; ++i) {
    pthread_join(clients[i], NULL);
    assert_greeted(&hosts[i]);
    assert_ended(&hosts[i]);
    assert_ok(sbx_engine_destroy(hosts[i].engine));
  }
  close_loop(&loop);
}

/* Serves by poll() until the engine has ended. */
static void serve(sbx_engine* engine) {
  for (;;) {
    struct pollfd ready = {.fd = sbx_engine_poll_fd(engine), .events = POLLIN};
    assert_true(ready.fd >= 0);
    poll(&ready, 1, sbx_engine_poll_timeout(engine));
    const sbx_error code = sbx_engine_run_once(engine, 0);
    if (code == SBX_E_STATE) return;
    assert_int_equal(code, SBX_OK);
  }
}

static void an_open_engine_serves_by_poll(void** state) {
  struct host host;
  (void)state;
  create(&host);
  assert_int_equal(sbx_engine_poll_fd(host.engine), -1);
  assert_int_equal(sbx_engine_poll_timeout(host.engine), -1);
  assert_refused(sbx_engine_run_once(host.engine, 0), SBX_E_STATE, "open");
  assert_ok(sbx_engine_open(host.engine));
  assert_int_equal(host.started, 1);
  assert_refused(sbx_engine_open(host.engine), SBX_E_STATE, "before");
  const pthread_t client = begin_client(&host);
  serve(host.engine);
  pthread_join(client, NULL);
  assert_greeted(&host);
  assert_ended(&host);
  assert_int_equal(sbx_engine_poll_fd(host.engine), -1);
  assert_int_equal(sbx_engine_poll_timeout(host.engine), 0);
  assert_refused(sbx_engine_run_once(host.engine, -1), SBX_E_STATE, "open");
  assert_ok(sbx_engine_destroy(host.engine));
}

static void run_once_waits_until_there_is_something_to_do(void** state) {
  struct host host;
  (void)state;
  create(&host);
  assert_ok(sbx_engine_open(host.engine));
  const pthread_t client = begin_client(&host);
  while (sbx_engine_run_once(host.engine, -1) == SBX_OK) {
  }
  pthread_join(client, NULL);
  assert_greeted(&host);
  assert_ended(&host);
  assert_ok(sbx_engine_destroy(host.engine));
}

static void on_release(void* data) {
  ++*(int*)data;
}

static void what_is_called_between_two_turns_is_done_in_the_next(void** state) {
  struct host host;
  int released = 0;
  (void)state;
  create(&host);
  assert_ok(sbx_engine_open(host.engine));
  while (sbx_engine_poll_timeout(host.engine) == 0) assert_ok(sbx_engine_run_once(host.engine, 0));
  for (int i = 1; i <= 3; ++i) {
    assert_ok(sbx_set_data(host.engine, "nobody", &released, on_release));
    assert_int_equal(released, i - 1);
    assert_int_equal(sbx_engine_poll_timeout(host.engine), 0);
    assert_ok(sbx_engine_run_once(host.engine, 0));
    assert_int_equal(released, i);
  }
  assert_ok(sbx_engine_destroy(host.engine));
  assert_int_equal(host.stopped, 1);
}

static void an_open_engine_is_served_to_its_end_by_destroy(void** state) {
  struct host host;
  char session[64];
  (void)state;
  create(&host);
  assert_ok(sbx_engine_open(host.engine));
  const int fd = dial(host.port);
  say(fd,
      "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  for (int i = 0; i < 20; ++i) assert_ok(sbx_engine_run_once(host.engine, 10));
  hear(fd, host.answer, sizeof host.answer);
  read_sid(host.answer, session, sizeof session);
  assert_string_not_equal(session, "");
  close(fd);
  assert_ok(sbx_engine_destroy(host.engine));
  assert_int_equal(host.stopped, 1);
}

static void only_an_open_engine_takes_turns(void** state) {
  struct host host;
  (void)state;
  create(&host);
  assert_ok(sbx_engine_start(host.engine));
  assert_refused(sbx_engine_run_once(host.engine, 0), SBX_E_STATE, "open");
  assert_refused(sbx_engine_open(host.engine), SBX_E_STATE, "before");
  assert_int_equal(sbx_engine_poll_fd(host.engine), -1);
  get_hello(&host);
  assert_greeted(&host);
  assert_ok(sbx_engine_destroy(host.engine));
}

static void opening_on_a_port_in_use(void** state) {
  struct host first;
  struct host second;
  char port[8];
  (void)state;
  create(&first);
  assert_ok(sbx_engine_open(first.engine));
  snprintf(port, sizeof port, "%u", (unsigned)first.port);
  create_on(&second, port);
  assert_refused(sbx_engine_open(second.engine), SBX_E_ADDRESS, port);
  assert_refused(sbx_engine_run_once(second.engine, 0), SBX_E_STATE, "open");
  assert_ok(sbx_engine_destroy(second.engine));
  assert_ok(sbx_engine_destroy(first.engine));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_attached_engine_serves_on_the_loop),
      cmocka_unit_test(an_attached_engine_is_not_destroyed_before_its_end),
      cmocka_unit_test(attaching_to_a_port_in_use),
      cmocka_unit_test(a_failed_attach_lets_the_loop_end),
      cmocka_unit_test(two_engines_share_a_loop),
      cmocka_unit_test(an_open_engine_serves_by_poll),
      cmocka_unit_test(run_once_waits_until_there_is_something_to_do),
      cmocka_unit_test(what_is_called_between_two_turns_is_done_in_the_next),
      cmocka_unit_test(an_open_engine_is_served_to_its_end_by_destroy),
      cmocka_unit_test(only_an_open_engine_takes_turns),
      cmocka_unit_test(opening_on_a_port_in_use),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
