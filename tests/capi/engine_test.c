/* The life of an engine, in every order. No Redis is needed: engines serve without one. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "signalbox.h"

/* What the callbacks were told. Read it when the engine has ended, or wait_started(). */
struct host {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  sbx_engine* engine;
  int started;
  int stopped;
  uint16_t port;
  sbx_error join_inside;
  sbx_error destroy_inside;
  int stop_when_started;
};

static void on_started(void* user, uint16_t port) {
  struct host* host = user;
  host->join_inside = sbx_engine_join(host->engine);
  host->destroy_inside = sbx_engine_destroy(host->engine);
  if (host->stop_when_started) sbx_engine_stop(host->engine);
  pthread_mutex_lock(&host->mutex);
  host->started++;
  host->port = port;
  pthread_cond_broadcast(&host->changed);
  pthread_mutex_unlock(&host->mutex);
}

static void on_stopped(void* user) {
  struct host* host = user;
  pthread_mutex_lock(&host->mutex);
  host->stopped++;
  pthread_mutex_unlock(&host->mutex);
}

static void wait_started(struct host* host) {
  pthread_mutex_lock(&host->mutex);
  while (host->started == 0) pthread_cond_wait(&host->changed, &host->mutex);
  pthread_mutex_unlock(&host->mutex);
}

static sbx_config* local_config(const char* port) {
  sbx_config* config = sbx_config_new();
  assert_non_null(config);
  assert_int_equal(sbx_config_set(config, "listen.host", "127.0.0.1"), SBX_OK);
  assert_int_equal(sbx_config_set(config, "listen.port", port), SBX_OK);
  assert_int_equal(sbx_config_set(config, "redis.url", "unix:///nonexistent/redis.sock"), SBX_OK);
  return config;
}

static void create(struct host* host) {
  sbx_config* config = local_config("0");
  sbx_callbacks callbacks;
  memset(host, 0, sizeof *host);
  pthread_mutex_init(&host->mutex, NULL);
  pthread_cond_init(&host->changed, NULL);
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.size = sizeof callbacks;
  callbacks.user = host;
  callbacks.started = on_started;
  callbacks.stopped = on_stopped;
  assert_int_equal(sbx_engine_create(config, &callbacks, &host->engine), SBX_OK);
  assert_non_null(host->engine);
  /* The engine has a copy. */
  sbx_config_free(config);
}

static void start(struct host* host) {
  const sbx_error rc = sbx_engine_start(host->engine);
  if (rc != SBX_OK) print_error("%s\n", sbx_last_error());
  assert_int_equal(rc, SBX_OK);
}

static void create_refuses(void** state) {
  sbx_config* config = local_config("0");
  sbx_engine* engine = (sbx_engine*)config; /* any pointer: it must stay */
  sbx_callbacks callbacks;
  (void)state;
  memset(&callbacks, 0, sizeof callbacks);
  assert_int_equal(sbx_engine_create(NULL, NULL, &engine), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "config"));
  assert_int_equal(sbx_engine_create(config, NULL, NULL), SBX_E_INVALID);
  assert_int_equal(sbx_engine_create(config, &callbacks, &engine), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "size"));
  assert_ptr_equal(engine, config);
  sbx_config_free(config);
}

static void null_is_refused(void** state) {
  (void)state;
  assert_int_equal(sbx_engine_start(NULL), SBX_E_INVALID);
  assert_non_null(strstr(sbx_last_error(), "engine"));
  assert_int_equal(sbx_engine_run(NULL), SBX_E_INVALID);
  assert_int_equal(sbx_engine_stop(NULL), SBX_E_INVALID);
  assert_int_equal(sbx_engine_join(NULL), SBX_E_INVALID);
  assert_int_equal(sbx_engine_port(NULL), 0);
  assert_int_equal(sbx_engine_destroy(NULL), SBX_OK);
}

static void create_destroy(void** state) {
  struct host host;
  (void)state;
  create(&host);
  assert_int_equal(sbx_engine_port(host.engine), 0);
  assert_int_equal(sbx_engine_join(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
  assert_int_equal(host.started, 0);
  assert_int_equal(host.stopped, 0);
}

static void create_without_callbacks(void** state) {
  sbx_config* config = local_config("0");
  sbx_engine* engine = NULL;
  (void)state;
  assert_int_equal(sbx_engine_create(config, NULL, &engine), SBX_OK);
  assert_int_equal(sbx_engine_start(engine), SBX_OK);
  assert_int_equal(sbx_engine_destroy(engine), SBX_OK);
  sbx_config_free(config);
}

static void start_stop_join_destroy(void** state) {
  struct host host;
  (void)state;
  create(&host);
  start(&host);
  assert_int_equal(host.started, 1);
  assert_int_not_equal(host.port, 0);
  assert_int_equal(sbx_engine_port(host.engine), host.port);
  assert_int_equal(sbx_engine_stop(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_stop(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_join(host.engine), SBX_OK);
  assert_int_equal(host.stopped, 1);
  assert_int_equal(sbx_engine_port(host.engine), 0);
  assert_int_equal(sbx_engine_stop(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_join(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
  assert_int_equal(host.stopped, 1);
}

static void start_destroy(void** state) {
  struct host host;
  (void)state;
  create(&host);
  start(&host);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
  assert_int_equal(host.started, 1);
  assert_int_equal(host.stopped, 1);
}

static void stop_before_start(void** state) {
  struct host host;
  (void)state;
  create(&host);
  assert_int_equal(sbx_engine_stop(host.engine), SBX_OK);
  start(&host);
  assert_int_equal(sbx_engine_join(host.engine), SBX_OK);
  assert_int_equal(host.started, 1);
  assert_int_equal(host.stopped, 1);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
}

static void stop_before_run(void** state) {
  struct host host;
  (void)state;
  create(&host);
  assert_int_equal(sbx_engine_stop(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_run(host.engine), SBX_OK);
  assert_int_equal(host.stopped, 1);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
}

static void stop_inside_a_callback(void** state) {
  struct host host;
  (void)state;
  create(&host);
  host.stop_when_started = 1;
  assert_int_equal(sbx_engine_run(host.engine), SBX_OK);
  assert_int_equal(host.stopped, 1);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
}

static void* stop_when_started(void* user) {
  struct host* host = user;
  wait_started(host);
  /* Not while somebody is in sbx_engine_run. */
  host->destroy_inside = sbx_engine_destroy(host->engine);
  sbx_engine_stop(host->engine);
  return NULL;
}

static void run_stopped_by_another_thread(void** state) {
  struct host host;
  pthread_t stopper;
  (void)state;
  create(&host);
  assert_int_equal(pthread_create(&stopper, NULL, stop_when_started, &host), 0);
  assert_int_equal(sbx_engine_run(host.engine), SBX_OK);
  pthread_join(stopper, NULL);
  assert_int_equal(host.destroy_inside, SBX_E_STATE);
  assert_int_equal(host.stopped, 1);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
}

static sbx_engine* signalled;

static void on_signal(int number) {
  (void)number;
  sbx_engine_stop(signalled);
}

static void* signal_when_started(void* user) {
  wait_started(user);
  raise(SIGUSR1);
  return NULL;
}

static void run_stopped_by_a_signal_handler(void** state) {
  struct host host;
  struct sigaction action;
  pthread_t sender;
  (void)state;
  create(&host);
  signalled = host.engine;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, NULL);
  assert_int_equal(pthread_create(&sender, NULL, signal_when_started, &host), 0);
  assert_int_equal(sbx_engine_run(host.engine), SBX_OK);
  pthread_join(sender, NULL);
  signal(SIGUSR1, SIG_DFL);
  assert_int_equal(host.stopped, 1);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
}

static void callbacks_cannot_end_their_engine(void** state) {
  struct host host;
  (void)state;
  create(&host);
  start(&host);
  assert_int_equal(host.join_inside, SBX_E_STATE);
  assert_int_equal(host.destroy_inside, SBX_E_STATE);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
}

static void an_engine_serves_once(void** state) {
  struct host host;
  (void)state;
  create(&host);
  start(&host);
  assert_int_equal(sbx_engine_start(host.engine), SBX_E_STATE);
  assert_string_not_equal(sbx_last_error(), "");
  assert_int_equal(sbx_engine_run(host.engine), SBX_E_STATE);
  assert_int_equal(sbx_engine_stop(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_join(host.engine), SBX_OK);
  assert_int_equal(sbx_engine_start(host.engine), SBX_E_STATE);
  assert_int_equal(sbx_engine_destroy(host.engine), SBX_OK);
  assert_int_equal(host.started, 1);
}

static void two_engines_are_independent(void** state) {
  struct host first;
  struct host second;
  (void)state;
  create(&first);
  create(&second);
  start(&first);
  start(&second);
  assert_int_not_equal(first.port, second.port);
  assert_int_equal(sbx_engine_destroy(first.engine), SBX_OK);
  assert_int_equal(sbx_engine_port(second.engine), second.port);
  assert_int_equal(second.stopped, 0);
  assert_int_equal(sbx_engine_destroy(second.engine), SBX_OK);
}

/* A listening socket on a free port of 127.0.0.1. */
static int occupy(char* port, size_t size) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(fd, (struct sockaddr*)&address, sizeof address), 0);
  assert_int_equal(listen(fd, 1), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr*)&address, &length), 0);
  snprintf(port, size, "%u", (unsigned)ntohs(address.sin_port));
  return fd;
}

static void port_in_use(void** state) {
  char port[8];
  const int fd = occupy(port, sizeof port);
  sbx_config* config = local_config(port);
  sbx_callbacks callbacks;
  struct host host;
  sbx_engine* engine = NULL;
  int run;
  (void)state;
  for (run = 0; run < 2; ++run) {
    memset(&host, 0, sizeof host);
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.size = sizeof callbacks;
    callbacks.user = &host;
    callbacks.started = on_started;
    callbacks.stopped = on_stopped;
    assert_int_equal(sbx_engine_create(config, &callbacks, &engine), SBX_OK);
    assert_int_equal(run ? sbx_engine_run(engine) : sbx_engine_start(engine), SBX_E_ADDRESS);
    assert_non_null(strstr(sbx_last_error(), port));
    assert_int_equal(sbx_engine_port(engine), 0);
    assert_int_equal(sbx_engine_destroy(engine), SBX_OK);
    assert_int_equal(host.started, 0);
    assert_int_equal(host.stopped, 0);
  }
  sbx_config_free(config);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(create_refuses),
      cmocka_unit_test(null_is_refused),
      cmocka_unit_test(create_destroy),
      cmocka_unit_test(create_without_callbacks),
      cmocka_unit_test(start_stop_join_destroy),
      cmocka_unit_test(start_destroy),
      cmocka_unit_test(stop_before_start),
      cmocka_unit_test(stop_before_run),
      cmocka_unit_test(stop_inside_a_callback),
      cmocka_unit_test(run_stopped_by_another_thread),
      cmocka_unit_test(run_stopped_by_a_signal_handler),
      cmocka_unit_test(callbacks_cannot_end_their_engine),
      cmocka_unit_test(an_engine_serves_once),
      cmocka_unit_test(two_engines_are_independent),
      cmocka_unit_test(port_in_use),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
