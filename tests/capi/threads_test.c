/* Calls from many threads at once. ThreadSanitizer is what looks on. */
#include <pthread.h>
#include <time.h>

#include "tests/capi/host.h"

enum { kThreads = 8, kClients = 2, kMostSockets = 64 };

/* The ids of sockets that are, or were, connected. */
static struct {
  pthread_mutex_t mutex;
  char ids[kMostSockets][32];
  unsigned count;
} sockets = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void some_socket(unsigned which, char id[32]) {
  pthread_mutex_lock(&sockets.mutex);
  const unsigned known = sockets.count < kMostSockets ? sockets.count : kMostSockets;
  strcpy(id, known == 0 ? "nobody" : sockets.ids[which % known]);
  pthread_mutex_unlock(&sockets.mutex);
}

static void pass_ms(long ms) {
  const struct timespec time = {.tv_sec = 0, .tv_nsec = ms * 1000000};
  nanosleep(&time, NULL);
}

static sbx_engine* engine;
static int answers;  /* of the engine's thread */
static int releases; /* of the engine's thread */

static void on_connecting(void* user, const sbx_connect* request) {
  (void)user;
  assert_ok(sbx_accept(engine, request->ticket));
}

static void on_connected(void* user, const sbx_socket* socket) {
  (void)user;
  pthread_mutex_lock(&sockets.mutex);
  strcpy(sockets.ids[sockets.count++ % kMostSockets], socket->socket);
  pthread_mutex_unlock(&sockets.mutex);
}

static void on_event(void* user, const sbx_event* event) {
  (void)user;
  (void)event;
}

static void on_answer(void* user, const sbx_answer* answer) {
  (void)user;
  (void)answer;
  ++answers;
}

static void on_release(void* data) {
  (void)data;
  ++releases;
}

static void on_http(void* user, const sbx_http_request* request) {
  (void)user;
  (void)request;
}

struct caller {
  pthread_t thread;
  unsigned number;
  unsigned questions; /* that were taken */
  unsigned data;      /* likewise */
  sbx_error last;
};

/* Calls everything until the engine has ended. */
static void* call(void* user) {
  struct caller* caller = user;
  sbx_error code = SBX_OK;
  for (unsigned i = caller->number; code == SBX_OK; ++i) {
    char id[32];
    some_socket(i, id);
    switch (i % 12) {
      case 0:
        code = sbx_emit(engine, id, "e", "[1]", NULL, 0);
        break;
      case 1:
        code = sbx_emit_with_ack(engine, id, "e", NULL, NULL, 0, 1 + i % 50, on_answer, NULL);
        if (code == SBX_OK) ++caller->questions;
        break;
      case 2:
        code = sbx_broadcast(engine, "/", i % 24 == 2 ? "room" : NULL, id, "e", NULL, NULL, 0);
        break;
      case 3:
        code = sbx_set_data(engine, id, caller, on_release);
        if (code == SBX_OK) ++caller->data;
        break;
      case 4:
        code = sbx_join(engine, id, "room");
        break;
      case 5:
        code = sbx_leave(engine, id, "room");
        break;
      case 6:
        code = i % 5 == 0 ? sbx_disconnect(engine, id, i % 2 == 0)
                          : sbx_ack(engine, id, 1, NULL, NULL, 0);
        break;
      case 7:
        code = sbx_engine_on(engine, "/", "e", i % 2 == 0 ? on_event : NULL, NULL);
        break;
      case 8:
        code = sbx_engine_mount(engine, "/m", i % 2 == 0 ? on_http : NULL, NULL);
        break;
      case 9:
        code = sbx_engine_add_namespace(engine, "/n", NULL);
        break;
      case 10:
        code = sbx_accept(engine, i);
        break;
      default:
        code = sbx_http_respond(engine, i, 200, NULL, 0, "x", 1);
        /* Not so fast that nobody else gets a turn. */
        pass_ms(1);
    }
    (void)sbx_engine_port(engine);
  }
  caller->last = code;
  return NULL;
}

/* Connects again and again until there is no server. */
static void* come_and_go(void* user) {
  char session[64];
  char socket_id[64];
  unsigned* connected = user;
  uint16_t port;
  while ((port = sbx_engine_port(engine)) != 0) {
    connect_socket(port, session, socket_id);
    if (*socket_id != '\0') ++*connected;
  }
  return NULL;
}

static void everything_at_once(void** state) {
  const sbx_namespace handlers = {.size = sizeof handlers,
                                  .connecting = on_connecting,
                                  .connected = on_connected,
                                  .event = on_event};
  struct caller callers[kThreads];
  pthread_t clients[kClients];
  unsigned connected[kClients] = {0};
  unsigned questions = 0;
  unsigned data = 0;
  (void)state;
  answers = releases = 0;
  engine = local_engine(NULL);
  assert_ok(sbx_engine_add_namespace(engine, "/", &handlers));
  assert_ok(sbx_engine_start(engine));
  memset(callers, 0, sizeof callers);
  for (unsigned i = 0; i < kThreads; ++i) {
    callers[i].number = i * 17;
    assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
  }
  for (unsigned i = 0; i < kClients; ++i) {
    assert_int_equal(pthread_create(&clients[i], NULL, come_and_go, &connected[i]), 0);
  }
  pass_ms(700); /* the time that the others have */
  assert_ok(sbx_engine_stop(engine));
  for (unsigned i = 0; i < kThreads; ++i) {
    pthread_join(callers[i].thread, NULL);
    assert_int_equal(callers[i].last, SBX_E_STATE);
    questions += callers[i].questions;
    data += callers[i].data;
  }
  for (unsigned i = 0; i < kClients; ++i) {
    pthread_join(clients[i], NULL);
    assert_true(connected[i] > 0);
  }
  assert_ok(sbx_engine_destroy(engine));
  /* Whatever was taken has been told, once. */
  assert_int_equal(answers, questions);
  assert_int_equal(releases, data);
}

static void* join(void* user) {
  (void)user;
  assert_ok(sbx_engine_join(engine));
  assert_int_equal(sbx_engine_port(engine), 0);
  return NULL;
}

static void many_may_wait_for_the_end(void** state) {
  pthread_t waiting[kThreads];
  (void)state;
  for (int round = 0; round < 10; ++round) {
    engine = local_engine(NULL);
    assert_ok(sbx_engine_start(engine));
    for (int i = 0; i < kThreads; ++i) pthread_create(&waiting[i], NULL, join, NULL);
    assert_ok(sbx_engine_stop(engine));
    for (int i = 0; i < kThreads; ++i) pthread_join(waiting[i], NULL);
    assert_ok(sbx_engine_destroy(engine));
  }
}

static void* start(void* user) {
  *(sbx_error*)user = sbx_engine_start(engine);
  return NULL;
}

static void* stop(void* user) {
  *(sbx_error*)user = sbx_engine_stop(engine);
  return NULL;
}

static void* program(void* user) {
  char name[16];
  sbx_error code = SBX_OK;
  for (int i = 0; i < 50 && code == SBX_OK; ++i) {
    snprintf(name, sizeof name, "/n%d", i);
    code = sbx_engine_add_namespace(engine, name, NULL);
  }
  *(sbx_error*)user = code == SBX_E_STATE ? SBX_OK : code;
  return NULL;
}

static void starting_stopping_and_programming_may_meet(void** state) {
  void* (*const functions[])(void* user) = {start, stop, program, program};
  enum { kFunctions = sizeof functions / sizeof *functions };
  (void)state;
  for (int round = 0; round < 40; ++round) {
    pthread_t threads[kFunctions];
    sbx_error codes[kFunctions];
    engine = local_engine(NULL);
    for (int i = 0; i < kFunctions; ++i) {
      pthread_create(&threads[i], NULL, functions[i], &codes[i]);
    }
    for (int i = 0; i < kFunctions; ++i) {
      pthread_join(threads[i], NULL);
      assert_int_equal(codes[i], SBX_OK);
    }
    assert_ok(sbx_engine_join(engine)); /* the stop was not lost */
    assert_ok(sbx_engine_destroy(engine));
  }
}

static void* run(void* user) {
  *(sbx_error*)user = sbx_engine_run(engine);
  return NULL;
}

static void a_second_run_does_not_hide_the_first(void** state) {
  pthread_t runner;
  sbx_error code = SBX_OK;
  (void)state;
  engine = local_engine(NULL);
  pthread_create(&runner, NULL, run, &code);
  while (sbx_engine_port(engine) == 0) pass_ms(1);
  assert_refused(sbx_engine_run(engine), SBX_E_STATE, "before");
  assert_refused(sbx_engine_destroy(engine), SBX_E_STATE, "another thread");
  assert_ok(sbx_engine_stop(engine));
  pthread_join(runner, NULL);
  assert_int_equal(code, SBX_OK);
  assert_ok(sbx_engine_destroy(engine));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_at_once),
      cmocka_unit_test(many_may_wait_for_the_end),
      cmocka_unit_test(starting_stopping_and_programming_may_meet),
      cmocka_unit_test(a_second_run_does_not_hide_the_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
