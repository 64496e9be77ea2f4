/* What conformance suites of the Socket.IO protocol expect of a server, with their short timings:
 * sends a client's auth payload back as `auth`, answers `message` with `message-back`, acknowledges
 * `message-with-ack` with its arguments. Namespaces / and /custom.
 *
 *   protocol_app [port]
 */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <signalbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sbx_engine* engine;

static const char* const kOptions[][2] = {
    {"socketio.path", "/socket.io/"},     {"engineio.ping_interval", "300"},
    {"engineio.ping_timeout", "200"},     {"engineio.max_payload", "1000000"},
    {"socketio.connect_timeout", "1000"}, {"signaling.enabled", "false"},
};
static const char* const kNamespaces[] = {"/", "/custom"};

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

static void on_connecting(void* user, const sbx_connect* request) {
  size_t size = strlen(request->auth) + sizeof "[]";
  char* args = malloc(size);
  (void)user;
  if (args == NULL) {
    sbx_refuse(engine, request->ticket, "out of memory", NULL);
    return;
  }
  snprintf(args, size, "[%s]", request->auth);
  /* Carried out in this order: the client is in when the event goes out to it. */
  sbx_accept(engine, request->ticket);
  sbx_emit(engine, request->socket, "auth", args, NULL, 0);
  free(args);
}

static void on_message(void* user, const sbx_event* event) {
  (void)user;
  sbx_emit(engine, event->socket, "message-back", event->args, event->attachments,
           event->attachment_count);
}

static void on_message_with_ack(void* user, const sbx_event* event) {
  (void)user;
  if (event->ack == 0) return;
  sbx_ack(engine, event->socket, event->ack, event->args, event->attachments,
          event->attachment_count);
}

/* Makes the engine; returns 0 on an error, of which sbx_last_error tells. */
static int prepare(const char* port) {
  sbx_callbacks callbacks = {.size = sizeof callbacks, .started = on_started};
  sbx_namespace handlers = {.size = sizeof handlers, .connecting = on_connecting};
  sbx_config* config = sbx_config_new();
  int ok = sbx_config_set(config, "listen.port", port) == SBX_OK;
  for (size_t i = 0; ok && i < sizeof kOptions / sizeof *kOptions; ++i) {
    ok = sbx_config_set(config, kOptions[i][0], kOptions[i][1]) == SBX_OK;
  }
  ok = ok && sbx_engine_create(config, &callbacks, &engine) == SBX_OK;
  sbx_config_free(config);
  for (size_t i = 0; ok && i < sizeof kNamespaces / sizeof *kNamespaces; ++i) {
    const char* nsp = kNamespaces[i];
    ok = sbx_engine_add_namespace(engine, nsp, &handlers) == SBX_OK &&
         sbx_engine_on(engine, nsp, "message", on_message, NULL) == SBX_OK &&
         sbx_engine_on(engine, nsp, "message-with-ack", on_message_with_ack, NULL) == SBX_OK;
  }
  return ok;
}

int main(int argc, char** argv) {
  int ok = prepare(argc > 1 ? argv[1] : "3000");
  if (ok) {
    handle_signals(on_signal);
    ok = sbx_engine_run(engine) == SBX_OK;
    handle_signals(SIG_DFL);
  }
  if (!ok) fprintf(stderr, "%s\n", sbx_last_error());
  sbx_engine_destroy(engine);
  return ok ? 0 : 1;
}
