/* Engines on loops of the host's: a libuv loop, and one that waits by poll(). */
#include <fcntl.h>
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

/* A number that the engine has given back may be another's in the next moment. */
static void an_end_closes_no_descriptor_of_the_host_s(void** state) {
  struct host host;
  int mine[64];
  size_t opened = 0;
  (void)state;
  create(&host);
  assert_ok(sbx_engine_open(host.engine));
  assert_ok(sbx_engine_stop(host.engine));
  while (sbx_engine_run_once(host.engine, -1) == SBX_OK) {
    assert_true(opened < sizeof mine / sizeof *mine);
    assert_true((mine[opened++] = open("/dev/null", O_RDONLY)) >= 0);
  }
  assert_true(opened > 1);
  for (size_t i = 0; i < opened; ++i) assert_int_equal(close(mine[i]), 0);
  assert_ok(sbx_engine_destroy(host.engine));
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

/* --- Commands from the loop's other callbacks ------------------------------------------------- */

/* A command whose end is seen. While it waits nothing else happens on the loop but a deadline, by
 * which it is given up. */
struct command {
  sbx_engine* engine;
  uv_timer_t deadline;
  uint64_t called_ms;
  uint64_t done_ms;
};

static void on_done(void* data) {
  struct command* command = data;
  command->done_ms = uv_now(command->deadline.loop);
  uv_stop(command->deadline.loop);
}

static void on_deadline(uv_timer_t* deadline) {
  uv_stop(deadline->loop);
}

static void call(struct command* command) {
  uv_update_time(command->deadline.loop);
  command->called_ms = uv_now(command->deadline.loop);
  assert_ok(sbx_set_data(command->engine, "nobody", command, on_done));
  assert_int_equal(command->done_ms, 0); /* never inside the call */
}

static void begin_command(struct command* command, uv_loop_t* loop, sbx_engine* engine) {
  memset(command, 0, sizeof *command);
  command->engine = engine;
  uv_timer_init(loop, &command->deadline);
  uv_timer_start(&command->deadline, on_deadline, 3000, 0);
}

static void assert_done_soon(struct command* command) {
  uv_timer_stop(&command->deadline);
  uv_close((uv_handle_t*)&command->deadline, NULL);
  assert_int_not_equal(command->done_ms, 0);
  assert_true(command->done_ms - command->called_ms < 200);
}

/* What engines and libwebsockets had to do at their beginning is behind them. */
static void settle(uv_loop_t* loop) {
  for (int i = 0; i < 20; ++i) uv_run(loop, UV_RUN_NOWAIT);
}

static void end_attached(struct host* host, uv_loop_t* loop) {
  assert_ok(sbx_engine_stop(host->engine));
  while (host->stopped == 0) uv_run(loop, UV_RUN_ONCE);
  assert_ok(sbx_engine_destroy(host->engine));
}

static void on_timer(uv_timer_t* timer) {
  call(timer->data);
}

static void a_command_of_a_timer_wakes_the_loop(void** state) {
  uv_loop_t loop;
  uv_timer_t timer;
  struct host host;
  struct command command;
  (void)state;
  uv_loop_init(&loop);
  create(&host);
  assert_ok(sbx_engine_attach(host.engine, &loop));
  settle(&loop);
  begin_command(&command, &loop, host.engine);
  uv_timer_init(&loop, &timer);
  timer.data = &command;
  uv_timer_start(&timer, on_timer, 20, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t*)&timer, NULL);
  assert_done_soon(&command);
  end_attached(&host, &loop);
  close_loop(&loop);
}

static void on_prepare(uv_prepare_t* prepare) {
  struct command* command = prepare->data;
  prepare->data = NULL;
  if (command != NULL) call(command);
}

/* The last that is called before the loop waits. What was started last is called first: one comes
 * before what the engine itself may have there, one behind it. */
static void a_command_of_a_prepare_callback_wakes_the_loop(void** state) {
  uv_loop_t loop;
  uv_prepare_t prepare[2];
  struct host host;
  struct command command;
  (void)state;
  uv_loop_init(&loop);
  create(&host);
  for (int i = 0; i < 2; ++i) {
    if (i == 1) assert_ok(sbx_engine_attach(host.engine, &loop));
    uv_prepare_init(&loop, &prepare[i]);
    prepare[i].data = NULL;
    uv_prepare_start(&prepare[i], on_prepare);
  }
  for (int i = 0; i < 2; ++i) {
    settle(&loop);
    begin_command(&command, &loop, host.engine);
    prepare[i].data = &command;
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_done_soon(&command);
  }
  for (int i = 0; i < 2; ++i) uv_close((uv_handle_t*)&prepare[i], NULL);
  end_attached(&host, &loop);
  close_loop(&loop);
}

static void on_check(uv_check_t* check) {
  uv_check_stop(check);
  call(check->data);
}

static void a_command_of_a_check_callback_wakes_the_loop(void** state) {
  uv_loop_t loop;
  uv_check_t check;
  struct host host;
  struct command command;
  (void)state;
  uv_loop_init(&loop);
  create(&host);
  assert_ok(sbx_engine_attach(host.engine, &loop));
  settle(&loop);
  begin_command(&command, &loop, host.engine);
  uv_check_init(&loop, &check);
  check.data = &command;
  uv_check_start(&check, on_check);
  uv_run(&loop, UV_RUN_NOWAIT);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t*)&check, NULL);
  assert_done_soon(&command);
  end_attached(&host, &loop);
  close_loop(&loop);
}

static void on_released_calls(void* data) {
  call(data);
}

/* The callback of one engine calls the other's: whichever of them the loop serves first. */
static void engines_on_one_loop_call_each_other(void** state) {
  uv_loop_t loop;
  struct host hosts[2];
  struct command command;
  (void)state;
  uv_loop_init(&loop);
  for (int i = 0; i < 2; ++i) {
    create(&hosts[i]);
    assert_ok(sbx_engine_attach(hosts[i].engine, &loop));
  }
  for (int i = 0; i < 2; ++i) {
    settle(&loop);
    begin_command(&command, &loop, hosts[1 - i].engine);
    assert_ok(sbx_set_data(hosts[i].engine, "nobody", &command, on_released_calls));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_done_soon(&command);
  }
  for (int i = 0; i < 2; ++i) end_attached(&hosts[i], &loop);
  close_loop(&loop);
}

/* --- Engines inside each other's callbacks ---------------------------------------------------- */

struct nest {
  sbx_engine* outer;
  sbx_engine* inner;
  int calls;
};

static void on_innermost(void* user, const sbx_http_request* request) {
  const struct nest* nest = user;
  assert_refused(sbx_engine_run_once(nest->outer, 0), SBX_E_STATE, "callback");
  assert_refused(sbx_engine_destroy(nest->outer), SBX_E_STATE, "callback");
  assert_refused(sbx_engine_run_once(nest->inner, 0), SBX_E_STATE, "callback");
  assert_refused(sbx_engine_destroy(nest->inner), SBX_E_STATE, "callback");
  assert_ok(sbx_http_respond(nest->inner, request->ticket, 200, NULL, 0, "inner", 5));
  ((struct nest*)user)->calls++;
}

static void on_outer(void* user, const sbx_http_request* request) {
  struct nest* nest = user;
  /* The other engine may be served here. */
  while (nest->calls == 0) assert_ok(sbx_engine_run_once(nest->inner, 10));
  for (int i = 0; i < 3; ++i) assert_ok(sbx_engine_run_once(nest->inner, 0));
  assert_refused(sbx_engine_run_once(nest->outer, 0), SBX_E_STATE, "callback");
  assert_refused(sbx_engine_destroy(nest->outer), SBX_E_STATE, "callback");
  assert_ok(sbx_http_respond(nest->outer, request->ticket, 200, NULL, 0, "outer", 5));
  nest->calls++;
}

static void an_engine_is_not_served_or_freed_below_its_own_callback(void** state) {
  struct nest nest = {.outer = local_engine(NULL), .inner = local_engine(NULL), .calls = 0};
  char answer[512];
  (void)state;
  assert_ok(sbx_engine_mount(nest.outer, "/hello", on_outer, &nest));
  assert_ok(sbx_engine_mount(nest.inner, "/hello", on_innermost, &nest));
  assert_ok(sbx_engine_open(nest.outer));
  assert_ok(sbx_engine_open(nest.inner));
  const int outer = dial(sbx_engine_port(nest.outer));
  const int inner = dial(sbx_engine_port(nest.inner));
  say(outer, kRequest);
  say(inner, kRequest);
  while (nest.calls < 2) assert_ok(sbx_engine_run_once(nest.outer, 10));
  for (int i = 0; i < 3; ++i) assert_ok(sbx_engine_run_once(nest.outer, 0));
  hear(inner, answer, sizeof answer);
  assert_non_null(strstr(answer, "\r\n\r\ninner"));
  hear(outer, answer, sizeof answer);
  assert_non_null(strstr(answer, "\r\n\r\nouter"));
  close(outer);
  close(inner);
  /* Outside of them both are served and freed as ever. */
  assert_ok(sbx_engine_run_once(nest.inner, 0));
  assert_ok(sbx_engine_destroy(nest.outer));
  assert_ok(sbx_engine_destroy(nest.inner));
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
      cmocka_unit_test(an_end_closes_no_descriptor_of_the_host_s),
      cmocka_unit_test(only_an_open_engine_takes_turns),
      cmocka_unit_test(opening_on_a_port_in_use),
      cmocka_unit_test(a_command_of_a_timer_wakes_the_loop),
      cmocka_unit_test(a_command_of_a_prepare_callback_wakes_the_loop),
      cmocka_unit_test(a_command_of_a_check_callback_wakes_the_loop),
      cmocka_unit_test(engines_on_one_loop_call_each_other),
      cmocka_unit_test(an_engine_is_not_served_or_freed_below_its_own_callback),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
