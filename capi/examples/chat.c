/* A chat with rooms. A client says who it is and where it wants to be, and talks to the others
 * there:
 *
 *   const socket = io("http://localhost:3001", { auth: { nickname: "ada", room: "tea" } });
 *   socket.emit("say", "hello", (answer) => { ... });    // "sent"
 *   socket.on("said", (nickname, text) => { ... });      // also: entered, left (nickname)
 *
 *   chat [port]
 */
#define _POSIX_C_SOURCE 200809L

#include <cjson/cJSON.h>
#include <signal.h>
#include <signalbox.h>
#include <stdio.h>
#include <string.h>

static sbx_engine* engine;

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

/* A guest is what the client gave as auth, parsed; a socket keeps it as its data. */
static const char* told(const cJSON* guest, const char* what) {
  const char* text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(guest, what));
  return text != NULL && *text != '\0' && strlen(text) <= 64 ? text : NULL;
}

static void forget(void* guest) {
  cJSON_Delete(guest);
}

/* Sends event(nickname[, text]) to everybody in the guest's room but `socket`. */
static void tell(const cJSON* guest, const char* socket, const char* event, const char* text) {
  cJSON* array = cJSON_CreateArray();
  cJSON_AddItemToArray(array, cJSON_CreateString(told(guest, "nickname")));
  if (text != NULL) cJSON_AddItemToArray(array, cJSON_CreateString(text));
  char* args = cJSON_PrintUnformatted(array);
  sbx_broadcast(engine, "/", told(guest, "room"), socket, event, args, NULL, 0);
  cJSON_free(args);
  cJSON_Delete(array);
}

static void on_connecting(void* user, const sbx_connect* request) {
  cJSON* guest = cJSON_Parse(request->auth);
  (void)user;
  if (told(guest, "nickname") == NULL || told(guest, "room") == NULL) {
    sbx_refuse(engine, request->ticket, "a nickname and a room are needed", NULL);
    forget(guest);
    return;
  }
  /* Carried out in this order, so the socket is in its room before its first event comes. */
  sbx_accept(engine, request->ticket);
  sbx_join(engine, request->socket, told(guest, "room"));
  tell(guest, request->socket, "entered", NULL);
  if (sbx_set_data(engine, request->socket, guest, forget) != SBX_OK) forget(guest);
}

static void on_disconnected(void* user, const sbx_socket* socket) {
  (void)user;
  tell(socket->data, socket->socket, "left", NULL);
}

static void on_say(void* user, const sbx_event* event) {
  cJSON* args = cJSON_Parse(event->args);
  const char* text = cJSON_GetStringValue(cJSON_GetArrayItem(args, 0));
  (void)user;
  if (text != NULL) tell(event->data, event->socket, "said", text);
  if (event->ack != 0) { /* the client wants an answer */
    sbx_ack(engine, event->socket, event->ack, text != NULL ? "[\"sent\"]" : "[\"not a text\"]",
            NULL, 0);
  }
  cJSON_Delete(args);
}

int main(int argc, char** argv) {
  sbx_namespace chat = {
      .size = sizeof chat, .connecting = on_connecting, .disconnected = on_disconnected};
  sbx_config* config = sbx_config_new();
  int ok = sbx_config_set(config, "listen.port", argc > 1 ? argv[1] : "3001") == SBX_OK &&
           sbx_config_set(config, "signaling.enabled", "false") == SBX_OK &&
           sbx_engine_create(config, NULL, &engine) == SBX_OK &&
           sbx_engine_add_namespace(engine, "/", &chat) == SBX_OK &&
           sbx_engine_on(engine, "/", "say", on_say, NULL) == SBX_OK &&
           sbx_engine_start(engine) == SBX_OK; /* serves on a thread of its own */
  sbx_config_free(config);
  if (ok) {
    handle_signals(on_signal);
    printf("listening on port %u\n", (unsigned)sbx_engine_port(engine));
    fflush(stdout);
    ok = sbx_engine_join(engine) == SBX_OK; /* until on_signal has stopped it */
    handle_signals(SIG_DFL);
  }
  if (!ok) fprintf(stderr, "%s\n", sbx_last_error());
  sbx_engine_destroy(engine);
  return ok ? 0 : 1;
}
