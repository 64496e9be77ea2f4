/* An engine on the program's own libuv loop, beside a timer: every 100 ms each client hears `tick`.
 * One thread does it all, so nothing needs a lock.
 *
 *   embed_uv [port]
 */
#define _POSIX_C_SOURCE 200809L /* uv.h needs it in strict C99 */

#include <signal.h>
#include <signalbox.h>
#include <stdio.h>
#include <uv.h>

static uv_loop_t loop;
static sbx_engine* engine;

static void on_started(void* user, uint16_t port) {
  (void)user;
  printf("listening on port %u\n", (unsigned)port);
  fflush(stdout);
}

/* The engine's last callback. What else is on the loop would keep uv_run going. */
static void on_stopped(void* user) {
  (void)user;
  uv_stop(&loop);
}

static void on_timer(uv_timer_t* timer) {
  static unsigned ticks;
  char args[16];
  (void)timer;
  snprintf(args, sizeof args, "[%u]", ++ticks);
  sbx_broadcast(engine, "/", NULL, NULL, "tick", args, NULL, 0);
}

static void on_signal(uv_signal_t* handle, int number) {
  (void)handle;
  (void)number;
  sbx_engine_stop(engine); /* returns at once; on_stopped tells the end */
}

int main(int argc, char** argv) {
  sbx_callbacks callbacks = {
      .size = sizeof callbacks, .started = on_started, .stopped = on_stopped};
  uv_timer_t timer;
  uv_signal_t interrupt;
  uv_signal_t terminate;

  sbx_config* config = sbx_config_new();
  int ok = sbx_config_set(config, "listen.port", argc > 1 ? argv[1] : "3001") == SBX_OK &&
           sbx_config_set(config, "signaling.enabled", "false") == SBX_OK &&
           sbx_engine_create(config, &callbacks, &engine) == SBX_OK &&
           sbx_engine_add_namespace(engine, "/", NULL) == SBX_OK;
  sbx_config_free(config);

  uv_loop_init(&loop);
  if (ok) ok = sbx_engine_attach(engine, &loop) == SBX_OK;
  if (!ok) {
    fprintf(stderr, "%s\n", sbx_last_error());
  } else {
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_timer, 100, 100);
    uv_signal_init(&loop, &interrupt);
    uv_signal_start(&interrupt, on_signal, SIGINT);
    uv_signal_init(&loop, &terminate);
    uv_signal_start(&terminate, on_signal, SIGTERM);

    uv_run(&loop, UV_RUN_DEFAULT); /* until on_stopped */

    uv_close((uv_handle_t*)&timer, NULL);
    uv_close((uv_handle_t*)&interrupt, NULL);
    uv_close((uv_handle_t*)&terminate, NULL);
  }
  sbx_engine_destroy(engine);
  uv_run(&loop, UV_RUN_DEFAULT); /* once more, for what was closed */
  return ok && uv_loop_close(&loop) == 0 ? 0 : 1;
}
