/* The smallest host: an engine on this thread until Ctrl-C.
 *
 *   embed [redis-url [port]]
 */
#include <signal.h>
#include <stdio.h>

#include "signalbox.h"

static sbx_engine* engine;

static void on_interrupt(int signal_number) {
  (void)signal_number;
  sbx_engine_stop(engine);
}

static void on_log(void* user, sbx_log_level level, const char* line) {
  (void)user;
  (void)level;
  fprintf(stderr, "%s\n", line);
}

static void on_started(void* user, uint16_t port) {
  (void)user;
  printf("signalbox %s on port %u\n", sbx_version(), (unsigned)port);
}

int main(int argc, char** argv) {
  char err[256] = "";
  sbx_config* config = sbx_config_new();
  sbx_callbacks callbacks = {
      sizeof callbacks, NULL, on_log, on_started, NULL, NULL, NULL, NULL, NULL};
  sbx_error rc = sbx_config_set(config, "redis.url", argc > 1 ? argv[1] : "redis://127.0.0.1", err,
                                sizeof err);
  if (rc == SBX_OK && argc > 2) {
    rc = sbx_config_set(config, "listen.port", argv[2], err, sizeof err);
  }
  if (rc == SBX_OK) rc = sbx_engine_create(config, &callbacks, &engine, err, sizeof err);
  if (rc == SBX_OK) {
    signal(SIGINT, on_interrupt);
    rc = sbx_engine_run(engine, err, sizeof err);
    signal(SIGINT, SIG_DFL);
  }
  if (rc != SBX_OK) fprintf(stderr, "%s: %s\n", sbx_error_text(rc), err);
  sbx_engine_destroy(engine);
  sbx_config_free(config);
  return rc == SBX_OK ? 0 : 1;
}
