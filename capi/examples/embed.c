/* The smallest host: the room application on this thread, until Ctrl-C.
 *
 *   embed [redis-url [port]]
 */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <signalbox.h>
#include <stdio.h>

static sbx_engine* engine;

static void on_signal(int number) {
  (void)number;
  sbx_engine_stop(engine); /* may be called from a signal handler */
}

/* Not signal(): in strict C it forgets its handler after the first signal. */
static void handle_signals(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

static void on_log(void* user, sbx_log_level level, const char* line) {
  (void)user;
  (void)level;
  fprintf(stderr, "%s\n", line);
}

static void on_started(void* user, uint16_t port) {
  (void)user;
  printf("listening on port %u\n", (unsigned)port);
  fflush(stdout);
}

int main(int argc, char** argv) {
  sbx_callbacks callbacks = {.size = sizeof callbacks, .log = on_log, .started = on_started};
  sbx_config* config = sbx_config_new();
  int ok =
      sbx_config_set(config, "redis.url", argc > 1 ? argv[1] : "redis://127.0.0.1") == SBX_OK &&
      sbx_config_set(config, "listen.port", argc > 2 ? argv[2] : "3001") == SBX_OK &&
      sbx_engine_create(config, &callbacks, &engine) == SBX_OK;
  sbx_config_free(config); /* the engine has a copy */
  if (ok) {
    handle_signals(on_signal);
    ok = sbx_engine_run(engine) == SBX_OK;
    handle_signals(SIG_DFL); /* before the engine is gone */
  }
  if (!ok) fprintf(stderr, "%s\n", sbx_last_error());
  sbx_engine_destroy(engine); /* NULL is allowed */
  return ok ? 0 : 1;
}
