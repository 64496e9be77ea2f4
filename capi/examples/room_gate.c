/* The room application with a gate before its rooms: a client gets into a room only when the table
 * `open_rooms` of an SQLite database lists it. A database may be slow and callbacks must not wait,
 * so a thread of its own asks it and answers later.
 *
 *   room_gate redis-url port database
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <signalbox.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

typedef struct question {
  uint64_t ticket;
  char room[264]; /* up to 64 characters of up to 4 bytes */
} question;

static sbx_engine* engine;
static int questions[2]; /* a pipe: the engine's thread writes, the gatekeeper reads */

static void on_signal(int number) {
  (void)number;
  sbx_engine_stop(engine);
}

/* Not signal(): in strict C it forgets its handler after the first signal. */
static void handle_signals(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

static void on_started(void* user, uint16_t port) {
  (void)user;
  printf("listening on port %u\n", (unsigned)port);
  fflush(stdout);
}

/* The engine asks, and goes on serving others. What it has handed us is gone when we return: copy.
 */
static void on_joining(void* user, const sbx_room_request* request) {
  question asked = {.ticket = request->ticket};
  (void)user;
  snprintf(asked.room, sizeof asked.room, "%s", request->room);
  if (write(questions[1], &asked, sizeof asked) != (ssize_t)sizeof asked) {
    sbx_refuse(engine, request->ticket, "Too many are waiting", NULL); /* the pipe is full */
  }
}

/* Answers one question after another, until the pipe is closed. */
static void* keep_gate(void* select) {
  question asked;
  while (read(questions[0], &asked, sizeof asked) == (ssize_t)sizeof asked) {
    sqlite3_bind_text(select, 1, asked.room, -1, SQLITE_STATIC);
    if (sqlite3_step(select) == SQLITE_ROW) {
      sbx_accept(engine, asked.ticket);
    } else {
      sbx_refuse(engine, asked.ticket, "This room is closed", NULL);
    }
    sqlite3_reset(select);
  }
  return NULL;
}

static int prepare(const char* redis_url, const char* port) {
  sbx_callbacks callbacks = {
      .size = sizeof callbacks, .started = on_started, .joining = on_joining};
  sbx_config* config = sbx_config_new();
  int ok = sbx_config_set(config, "redis.url", redis_url) == SBX_OK &&
           sbx_config_set(config, "listen.port", port) == SBX_OK &&
           sbx_engine_create(config, &callbacks, &engine) == SBX_OK;
  sbx_config_free(config);
  return ok;
}

int main(int argc, char** argv) {
  sqlite3* database = NULL;
  sqlite3_stmt* select = NULL;
  pthread_t gatekeeper;
  if (argc != 4 || sqlite3_open(argv[3], &database) != SQLITE_OK ||
      sqlite3_prepare_v2(database, "SELECT 1 FROM open_rooms WHERE room = ?", -1, &select, NULL) !=
          SQLITE_OK ||
      pipe(questions) != 0 || fcntl(questions[1], F_SETFL, O_NONBLOCK) != 0) {
    fprintf(stderr, "room_gate redis-url port database: %s\n", sqlite3_errmsg(database));
    return 1;
  }
  int ok = prepare(argv[1], argv[2]) && pthread_create(&gatekeeper, NULL, keep_gate, select) == 0;
  if (ok) {
    handle_signals(on_signal);
    ok = sbx_engine_run(engine) == SBX_OK;
    handle_signals(SIG_DFL);
    close(questions[1]); /* ends the gatekeeper */
    pthread_join(gatekeeper, NULL);
  }
  if (!ok) fprintf(stderr, "%s\n", sbx_last_error());
  sbx_engine_destroy(engine);
  sqlite3_finalize(select);
  sqlite3_close(database);
  return ok ? 0 : 1;
}
