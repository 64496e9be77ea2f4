/* An engine that is given the socket to accept from: option listen.fd. */
#include "tests/capi/host.h"

/* A socket of 127.0.0.1, and its port. */
static int bound_socket(int type, uint16_t* port) {
  const int fd = socket(AF_INET, type, 0);
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(fd, (struct sockaddr*)&address, sizeof address), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr*)&address, &size), 0);
  *port = ntohs(address.sin_port);
  return fd;
}

static sbx_engine* engine_of(int fd) {
  char text[16];
  sbx_config* config = local_config("1"); /* which is not used */
  sbx_engine* engine = NULL;
  snprintf(text, sizeof text, "%d", fd);
  assert_ok(sbx_config_set(config, "listen.fd", text));
  assert_ok(sbx_engine_create(config, NULL, &engine));
  sbx_config_free(config);
  return engine;
}

static void assert_answered(int client) {
  char answer[1024];
  hear(client, answer, sizeof answer);
  close(client);
  assert_non_null(strstr(answer, "404"));
}

static void clients_wait_while_nobody_serves(void** state) {
  (void)state;
  uint16_t port = 0;
  const int fd = bound_socket(SOCK_STREAM, &port);
  assert_int_equal(listen(fd, 8), 0);
  for (int round = 0; round < 2; ++round) {
    const int client = dial(port);
    say(client, kRequest);
    sbx_engine* engine = engine_of(fd);
    assert_ok(sbx_engine_start(engine));
    assert_int_equal(sbx_engine_port(engine), port);
    assert_answered(client);
    assert_ok(sbx_engine_destroy(engine));
  }
  close(fd);
}

static void engines_share_it(void** state) {
  (void)state;
  uint16_t port = 0;
  const int fd = bound_socket(SOCK_STREAM, &port);
  assert_int_equal(listen(fd, 8), 0);
  sbx_engine* engines[2] = {engine_of(fd), engine_of(fd)};
  assert_ok(sbx_engine_share_port(engines[1], engines[0]));
  for (size_t i = 0; i < 2; ++i) assert_ok(sbx_engine_start(engines[i]));
  close(fd); /* each has its own */
  for (size_t i = 0; i < 2; ++i) {
    const int client = dial(port);
    say(client, kRequest);
    assert_answered(client);
    assert_ok(sbx_engine_destroy(engines[i]));
  }
  assert_int_equal(dial(port), -1);
}

static void what_does_not_listen_is_refused(void** state) {
  (void)state;
  uint16_t port = 0;
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const int refused[] = {bound_socket(SOCK_STREAM, &port), bound_socket(SOCK_DGRAM, &port), pair[0],
                         pair[1], 1000};
  close(pair[1]);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    sbx_engine* engine = engine_of(refused[i]);
    assert_refused(sbx_engine_start(engine), SBX_E_INVALID, "listen.fd");
    assert_ok(sbx_engine_destroy(engine));
  }
  for (size_t i = 0; i < 3; ++i) close(refused[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(clients_wait_while_nobody_serves),
      cmocka_unit_test(engines_share_it),
      cmocka_unit_test(what_does_not_listen_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
