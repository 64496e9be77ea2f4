/* An engine in a program that polls: whatever stands on the standard input goes to every client as
 * the binary argument of an event `typed`. The end of the input ends the program.
 *
 *   embed_poll [port]
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <signalbox.h>
#include <stdio.h>
#include <unistd.h>

static sbx_engine* engine;
static int ended;

static void on_signal(int number) {
  (void)number;
  sbx_engine_stop(engine); /* may be called from a signal handler; wakes poll() */
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

static void on_stopped(void* user) {
  (void)user;
  ended = 1;
}

/* Reads what there is and sends it to all; returns 0 at the end of the input. */
static int pass_on_input(void) {
  char typed[4096];
  ssize_t length = read(STDIN_FILENO, typed, sizeof typed);
  if (length <= 0) return 0;
  /* The placeholder says where among the arguments the attachment belongs. */
  sbx_bytes attachment = {typed, (size_t)length};
  sbx_broadcast(engine, "/", NULL, NULL, "typed", "[{\"_placeholder\":true,\"num\":0}]",
                &attachment, 1);
  return 1;
}

static void serve(void) {
  struct pollfd waiting[] = {
      {.fd = sbx_engine_poll_fd(engine), .events = POLLIN},
      {.fd = STDIN_FILENO, .events = POLLIN},
  };
  while (!ended) {
    if (poll(waiting, 2, sbx_engine_poll_timeout(engine)) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0 && !pass_on_input()) {
      sbx_engine_stop(engine);
      waiting[1].fd = -1; /* poll() passes over it from now on */
      waiting[1].revents = 0;
    }
    /* Also when poll() saw nothing: one of the engine's deadlines has come. */
    sbx_engine_run_once(engine, 0);
  }
}

int main(int argc, char** argv) {
  sbx_callbacks callbacks = {
      .size = sizeof callbacks, .started = on_started, .stopped = on_stopped};
  sbx_config* config = sbx_config_new();
  int ok = sbx_config_set(config, "listen.port", argc > 1 ? argv[1] : "3001") == SBX_OK &&
           sbx_config_set(config, "signaling.enabled", "false") == SBX_OK &&
           sbx_engine_create(config, &callbacks, &engine) == SBX_OK &&
           sbx_engine_add_namespace(engine, "/", NULL) == SBX_OK &&
           sbx_engine_open(engine) == SBX_OK;
  sbx_config_free(config);
  if (ok) {
    handle_signals(on_signal);
    serve();
    handle_signals(SIG_DFL); /* before the engine is gone */
  } else {
    fprintf(stderr, "%s\n", sbx_last_error());
  }
  sbx_engine_destroy(engine);
  return ok ? 0 : 1;
}
