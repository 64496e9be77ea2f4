/* A host on the public header that is told by its standard input what to call, and tells by its
 * standard output what it was called back with. tests/lib/host_app.mjs is the other end.
 *
 * In: one call a line, its words separated by tabs; "(null)" is NULL. Each is answered by
 * ["result",{"code":0,"text":""}]. Out: one JSON array a line, [<callback>,{<what it was handed>}].
 *
 * Handlers are registered with a script: calls to make inside the callback, separated by 0x1e,
 * their words by 0x1f. There "$ticket", "$socket", "$ack" and "$args" stand for what the callback
 * was handed. The empty script makes no call.
 *
 * The program aborts when a callback comes inside another, or on another thread than `started`.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signalbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMostWords = 24, kMostAttachments = 8, kLongestLine = 1 << 20 };

static sbx_engine* engine;

/* --- Telling ------------------------------------------------------------------------------- */

static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
static const char* separator;

static void begin(const char* what) {
  pthread_mutex_lock(&telling);
  printf("[\"%s\",{", what);
  separator = "";
}

static void end(void) {
  printf("}]\n");
  fflush(stdout);
  pthread_mutex_unlock(&telling);
}

static void key(const char* name) {
  printf("%s\"%s\":", separator, name);
  separator = ",";
}

static void quote(const char* value) {
  if (value == NULL) {
    printf("null");
    return;
  }
  putchar('"');
  for (; *value != '\0'; ++value) {
    const unsigned char c = (unsigned char)*value;
    if (c < 0x20 || c == '"' || c == '\\') {
      printf("\\u%04x", c);
    } else {
      putchar(c);
    }
  }
  putchar('"');
}

static void text(const char* name, const char* value) {
  key(name);
  quote(value);
}

static void number(const char* name, uint64_t value) {
  key(name);
  printf("%" PRIu64, value);
}

static void pairs(const char* name, const sbx_pair* values, size_t count) {
  key(name);
  putchar('[');
  for (size_t i = 0; i < count; ++i) {
    printf(i == 0 ? "[" : ",[");
    quote(values[i].name);
    putchar(',');
    quote(values[i].value);
    putchar(']');
  }
  putchar(']');
}

static void hex(const sbx_bytes* bytes) {
  const unsigned char* data = bytes->data;
  putchar('"');
  for (size_t i = 0; i < bytes->size; ++i) printf("%02x", data[i]);
  putchar('"');
}

static void attachments(const sbx_bytes* values, size_t count) {
  key("attachments");
  putchar('[');
  for (size_t i = 0; i < count; ++i) {
    if (i != 0) putchar(',');
    hex(&values[i]);
  }
  putchar(']');
}

/* --- The rule of callbacks ------------------------------------------------------------------- */

static int inside;
static int has_thread;
static pthread_t thread;

static void enter(void) {
  if (!has_thread) thread = pthread_self();
  has_thread = 1;
  if (inside || !pthread_equal(thread, pthread_self())) abort();
  inside = 1;
}

static void leave(void) {
  inside = 0;
}

/* --- Calling ------------------------------------------------------------------------------- */

/* What a script's variables stand for. */
struct news {
  uint64_t ticket;
  const char* socket;
  uint64_t ack;
  const char* args;
};

static void run_script(const char* script, const struct news* news);

/* Scripts live until the engine is destroyed. */
static struct kept {
  struct kept* next;
  char* copy;
} * all_kept;

static char* keep(const char* script) {
  if (script == NULL) return NULL;
  struct kept* kept = malloc(sizeof *kept);
  kept->copy = strdup(script);
  kept->next = all_kept;
  all_kept = kept;
  return kept->copy;
}

static void free_kept(void) {
  while (all_kept != NULL) {
    struct kept* next = all_kept->next;
    free(all_kept->copy);
    free(all_kept);
    all_kept = next;
  }
}

/* The scripts of a namespace. */
struct handlers {
  struct handlers* next;
  const char* connecting;
  const char* connected;
  const char* disconnected;
  const char* event;
};
static struct handlers* all_handlers;

static void on_connecting(void* user, const sbx_connect* request) {
  enter();
  begin("connecting");
  number("ticket", request->ticket);
  text("nsp", request->nsp);
  text("socket", request->socket);
  text("auth", request->auth);
  text("address", request->address);
  pairs("headers", request->headers, request->header_count);
  pairs("query", request->query, request->query_count);
  end();
  run_script(((struct handlers*)user)->connecting,
             &(struct news){.ticket = request->ticket, .socket = request->socket});
  leave();
}

static void tell_socket(const char* what, const sbx_socket* socket, const char* script) {
  enter();
  begin(what);
  text("nsp", socket->nsp);
  text("socket", socket->socket);
  text("address", socket->address);
  text("reason", socket->reason);
  number("data", (uintptr_t)socket->data);
  end();
  run_script(script, &(struct news){.socket = socket->socket});
  leave();
}

static void on_connected(void* user, const sbx_socket* socket) {
  tell_socket("connected", socket, ((struct handlers*)user)->connected);
}

static void on_disconnected(void* user, const sbx_socket* socket) {
  tell_socket("disconnected", socket, ((struct handlers*)user)->disconnected);
}

static void on_event(void* user, const sbx_event* event) {
  enter();
  begin("event");
  text("nsp", event->nsp);
  text("socket", event->socket);
  text("name", event->name);
  text("args", event->args);
  number("length", event->args_length);
  attachments(event->attachments, event->attachment_count);
  number("ack", event->ack);
  number("data", (uintptr_t)event->data);
  end();
  run_script(user, &(struct news){.socket = event->socket, .ack = event->ack, .args = event->args});
  leave();
}

static void on_any_event(void* user, const sbx_event* event) {
  on_event((void*)((struct handlers*)user)->event, event);
}

static void on_answer(void* user, const sbx_answer* answer) {
  char* tag = user;
  enter();
  begin("answer");
  text("tag", tag);
  key("status");
  printf("%d", (int)answer->status);
  text("socket", answer->socket);
  text("args", answer->args);
  number("length", answer->args_length);
  attachments(answer->attachments, answer->attachment_count);
  end();
  free(tag); /* a second answer would be seen */
  leave();
}

static void on_release(void* data) {
  enter();
  begin("release");
  number("data", (uintptr_t)data);
  end();
  leave();
}

static void on_http(void* user, const sbx_http_request* request) {
  enter();
  begin("http");
  number("ticket", request->ticket);
  text("method", request->method);
  text("path", request->path);
  text("address", request->address);
  pairs("headers", request->headers, request->header_count);
  pairs("query", request->query, request->query_count);
  key("body");
  hex(&request->body);
  end();
  run_script(user, &(struct news){.ticket = request->ticket});
  leave();
}

/* The scripts of the room application's two questions, and what it tells. */
static char* creating_script;
static char* joining_script;

static void tell_room(const char* what, const sbx_room_request* request, const char* script) {
  enter();
  begin(what);
  number("ticket", request->ticket);
  text("room", request->room);
  text("socket", request->socket);
  text("address", request->address);
  number("data", (uintptr_t)request->data);
  pairs("headers", request->headers, request->header_count);
  pairs("query", request->query, request->query_count);
  end();
  run_script(script, &(struct news){.ticket = request->ticket, .socket = request->socket});
  leave();
}

static void on_creating(void* user, const sbx_room_request* request) {
  (void)user;
  tell_room("creating", request, creating_script);
}

static void on_joining(void* user, const sbx_room_request* request) {
  (void)user;
  tell_room("joining", request, joining_script);
}

static void on_abandoned(void* user, uint64_t ticket) {
  (void)user;
  enter();
  begin("abandoned");
  number("ticket", ticket);
  end();
  leave();
}

static void tell_of_room(const char* what, const char* room, const char* socket,
                         const char* reason) {
  enter();
  begin(what);
  text("room", room);
  text("socket", socket);
  text("reason", reason);
  end();
  leave();
}

static void on_room_created(void* user, const char* room) {
  (void)user;
  tell_of_room("room_created", room, NULL, NULL);
}

static void on_joined(void* user, const char* room, const char* socket) {
  (void)user;
  tell_of_room("joined", room, socket, NULL);
}

static void on_left(void* user, const char* room, const char* socket) {
  (void)user;
  tell_of_room("left", room, socket, NULL);
}

static void on_refused(void* user, const char* room, const char* socket, const char* reason) {
  (void)user;
  tell_of_room("refused", room, socket, reason);
}

static void on_started(void* user, uint16_t port) {
  (void)user;
  enter();
  begin("started");
  number("port", port);
  end();
  leave();
}

static void on_stopped(void* user) {
  (void)user;
  enter();
  begin("stopped");
  end();
  leave();
}

/* --- The calls ------------------------------------------------------------------------------- */

static uint64_t number_of(const char* word) {
  return word == NULL ? 0 : strtoull(word, NULL, 10);
}

/* Attachments from hexadecimal numbers separated by commas. */
struct binary {
  sbx_bytes bytes[kMostAttachments];
  size_t count;
  unsigned char storage[4096];
};

static void read_binary(const char* word, struct binary* binary) {
  size_t used = 0;
  binary->count = 0;
  while (word != NULL && binary->count < kMostAttachments) {
    sbx_bytes* bytes = &binary->bytes[binary->count++];
    bytes->data = binary->storage + used;
    bytes->size = 0;
    for (unsigned byte = 0; sscanf(word, "%2x", &byte) == 1 && *word != ','; word += 2) {
      binary->storage[used++] = (unsigned char)byte;
      ++bytes->size;
    }
    word = *word == ',' ? word + 1 : NULL;
  }
}

/* create <option>=<value>...; `creating` and `joining` are the scripts of these questions. */
static sbx_error create(char** w) {
  sbx_callbacks callbacks = {.size = sizeof callbacks,
                             .started = on_started,
                             .stopped = on_stopped,
                             .room_created = on_room_created,
                             .joined = on_joined,
                             .left = on_left,
                             .refused = on_refused,
                             .abandoned = on_abandoned};
  sbx_config* config = sbx_config_new();
  sbx_error code = SBX_OK;
  for (; *w != NULL && code == SBX_OK; ++w) {
    char* value = strchr(*w, '=');
    *value++ = '\0';
    if (strcmp(*w, "creating") == 0) {
      creating_script = keep(value);
      callbacks.creating = on_creating;
    } else if (strcmp(*w, "joining") == 0) {
      joining_script = keep(value);
      callbacks.joining = on_joining;
    } else {
      code = sbx_config_set(config, *w, value);
    }
  }
  if (code == SBX_OK) code = sbx_engine_create(config, &callbacks, &engine);
  sbx_config_free(config);
  return code;
}

/* add_namespace <name> <script of connecting> <of connected> <of disconnected> <of event>; a
 * handler without script is not registered. */
static sbx_error add_namespace(char** w) {
  struct handlers* handlers = malloc(sizeof *handlers);
  *handlers = (struct handlers){all_handlers, keep(w[1]), keep(w[2]), keep(w[3]), keep(w[4])};
  all_handlers = handlers;
  const sbx_namespace nsp = {.size = sizeof nsp,
                             .user = handlers,
                             .connecting = w[1] != NULL ? on_connecting : NULL,
                             .connected = w[2] != NULL ? on_connected : NULL,
                             .disconnected = w[3] != NULL ? on_disconnected : NULL,
                             .event = w[4] != NULL ? on_any_event : NULL};
  return sbx_engine_add_namespace(engine, w[0], &nsp);
}

static sbx_error on(char** w) {
  return sbx_engine_on(engine, w[0], w[1], w[2] != NULL ? on_event : NULL, keep(w[2]));
}

static sbx_error mount(char** w) {
  return sbx_engine_mount(engine, w[0], w[1] != NULL ? on_http : NULL, keep(w[1]));
}

static sbx_error start(char** w) {
  (void)w;
  return sbx_engine_start(engine);
}

static sbx_error stop(char** w) {
  (void)w;
  return sbx_engine_stop(engine);
}

static sbx_error emit(char** w) {
  struct binary b;
  read_binary(w[3], &b);
  return sbx_emit(engine, w[0], w[1], w[2], b.bytes, b.count);
}

static sbx_error emit_with_ack(char** w) {
  struct binary b;
  read_binary(w[3], &b);
  char* tag = strdup(w[5]);
  const sbx_error code = sbx_emit_with_ack(engine, w[0], w[1], w[2], b.bytes, b.count,
                                           (uint32_t)number_of(w[4]), on_answer, tag);
  if (code != SBX_OK) free(tag);
  return code;
}

/* emit_many <socket> <event> <count>: numbered from 0. */
static sbx_error emit_many(char** w) {
  for (uint64_t i = 0; i < number_of(w[2]); ++i) {
    char args[32];
    snprintf(args, sizeof args, "[%" PRIu64 "]", i);
    const sbx_error code = sbx_emit(engine, w[0], w[1], args, NULL, 0);
    if (code != SBX_OK) return code;
  }
  return SBX_OK;
}

static sbx_error broadcast(char** w) {
  struct binary b;
  read_binary(w[5], &b);
  return sbx_broadcast(engine, w[0], w[1], w[2], w[3], w[4], b.bytes, b.count);
}

static sbx_error broadcast_to_peers(char** w) {
  struct binary b;
  read_binary(w[4], &b);
  return sbx_broadcast_to_peers(engine, w[0], w[1], w[2], w[3], b.bytes, b.count);
}

static sbx_error ack(char** w) {
  struct binary b;
  read_binary(w[3], &b);
  return sbx_ack(engine, w[0], number_of(w[1]), w[2], b.bytes, b.count);
}

static sbx_error accept_ticket(char** w) {
  return sbx_accept(engine, number_of(w[0]));
}

static sbx_error refuse(char** w) {
  return sbx_refuse(engine, number_of(w[0]), w[1], w[2]);
}

static sbx_error disconnect(char** w) {
  return sbx_disconnect(engine, w[0], (int)number_of(w[1]));
}

static sbx_error join(char** w) {
  return sbx_join(engine, w[0], w[1]);
}

static sbx_error leave_room(char** w) {
  return sbx_leave(engine, w[0], w[1]);
}

static sbx_error set_data(char** w) {
  return sbx_set_data(engine, w[0], (void*)(uintptr_t)number_of(w[1]), on_release);
}

/* respond <ticket> <status> <body> [<header> <value>]... */
static sbx_error respond(char** w) {
  sbx_pair headers[kMostWords];
  size_t count = 0;
  for (char** header = w + 3; header[0] != NULL; header += 2) {
    headers[count++] = (sbx_pair){header[0], header[1]};
  }
  return sbx_http_respond(engine, number_of(w[0]), (int)number_of(w[1]), headers, count, w[2],
                          w[2] != NULL ? strlen(w[2]) : 0);
}

static sbx_error call(char** words) {
  static const struct {
    const char* name;
    sbx_error (*function)(char** w);
  } kCalls[] = {
      {"create", create},
      {"add_namespace", add_namespace},
      {"on", on},
      {"mount", mount},
      {"start", start},
      {"stop", stop},
      {"emit", emit},
      {"emit_with_ack", emit_with_ack},
      {"emit_many", emit_many},
      {"broadcast", broadcast},
      {"broadcast_to_peers", broadcast_to_peers},
      {"ack", ack},
      {"accept", accept_ticket},
      {"refuse", refuse},
      {"disconnect", disconnect},
      {"join", join},
      {"leave", leave_room},
      {"set_data", set_data},
      {"respond", respond},
  };
  for (size_t i = 0; i < sizeof kCalls / sizeof *kCalls; ++i) {
    if (strcmp(kCalls[i].name, words[0]) == 0) return kCalls[i].function(words + 1);
  }
  abort();
}

/* Cuts `line` into words; those that are missing are NULL. */
static void split(char* line, char at, char** words) {
  memset(words, 0, kMostWords * sizeof *words);
  for (size_t count = 0; line != NULL && count < kMostWords - 1; ++count) {
    char* next = strchr(line, at);
    if (next != NULL) *next++ = '\0';
    words[count] = strcmp(line, "(null)") == 0 ? NULL : line;
    line = next;
  }
}

static void run_script(const char* script, const struct news* news) {
  char ticket[24];
  char ack_id[24];
  snprintf(ticket, sizeof ticket, "%" PRIu64, news->ticket);
  snprintf(ack_id, sizeof ack_id, "%" PRIu64, news->ack);
  const struct {
    const char* name;
    const char* value;
  } variables[] = {
      {"$ticket", ticket}, {"$ack", ack_id}, {"$socket", news->socket}, {"$args", news->args}};
  char* copy = strdup(script);
  for (char* line = *copy != '\0' ? copy : NULL; line != NULL;) {
    char* words[kMostWords];
    char* next = strchr(line, '\x1e');
    if (next != NULL) *next++ = '\0';
    split(line, '\x1f', words);
    for (size_t i = 0; i < kMostWords; ++i) {
      for (size_t v = 0; words[i] != NULL && v < sizeof variables / sizeof *variables; ++v) {
        if (strcmp(words[i], variables[v].name) == 0) words[i] = (char*)variables[v].value;
      }
    }
    if (call(words) != SBX_OK) {
      fprintf(stderr, "%s\n", sbx_last_error());
      abort();
    }
    line = next;
  }
  free(copy);
}

int main(void) {
  char* line = malloc(kLongestLine);
  while (fgets(line, kLongestLine, stdin) != NULL) {
    char* words[kMostWords];
    line[strcspn(line, "\n")] = '\0';
    split(line, '\t', words);
    const sbx_error code = call(words);
    begin("result");
    key("code");
    printf("%d", (int)code);
    text("text", code != SBX_OK ? sbx_last_error() : "");
    end();
  }
  free(line);
  const sbx_error code = sbx_engine_destroy(engine);
  free_kept();
  while (all_handlers != NULL) {
    struct handlers* next = all_handlers->next;
    free(all_handlers);
    all_handlers = next;
  }
  return code == SBX_OK ? 0 : 1;
}
