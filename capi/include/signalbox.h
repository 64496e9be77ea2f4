/** @file
 * Signalbox: a Socket.IO 4 compatible server with WebRTC signaling, inside your program.
 *
 *   sbx_config *config = sbx_config_new();
 *   sbx_engine *engine = NULL;
 *   if (sbx_config_set(config, "redis.url", "redis://127.0.0.1") != SBX_OK ||
 *       sbx_engine_create(config, NULL, &engine) != SBX_OK || sbx_engine_run(engine) != SBX_OK)
 *     fprintf(stderr, "%s\n", sbx_last_error());
 *   sbx_engine_destroy(engine);
 *   sbx_config_free(config);
 *
 * The engine comes with a room application: clients create and join rooms, kept in Redis, and pass
 * each other offers, answers and candidates (option signaling.enabled). Beside it, or instead of
 * it, you program namespaces of your own: handlers for connections, events and acknowledgements,
 * rooms, HTTP paths.
 *
 * The contract, which holds for every function:
 *
 * 1. Handles. sbx_config and sbx_engine are opaque; the caller owns what it creates and gives each
 *    back once, by sbx_config_free and sbx_engine_destroy. A handle that was given back must not be
 *    used again.
 * 2. Memory. Strings are UTF-8 and end in NUL. The library copies what it is given and keeps no
 *    pointer to it but `user` and `data` pointers. Strings that functions return live as long as
 *    the program, unless the function says otherwise; what callbacks are handed lives until the
 *    callback returns.
 * 3. Errors. Functions that can fail return sbx_error: SBX_OK or a negative code, and then
 *    sbx_last_error() tells this thread what was wrong, naming the argument. On failure nothing has
 *    been done and no output is touched. Any function may return, beyond the errors listed with it:
 *    SBX_E_INVALID for a NULL where none is allowed, SBX_E_SYSTEM when
 *    the system refuses memory, SBX_E_INTERNAL for a defect of the library. No C++ exception ever
 *    leaves the library. It never ends the process and never prints.
 * 4. Threads. An engine serves on one thread: its own after sbx_engine_start, the caller's in
 *    sbx_engine_run and sbx_engine_run_once, the loop's after sbx_engine_attach. Functions may be
 *    called from any thread, inside callbacks too, unless they say otherwise; they never wait for
 *    the engine but where they say so. Calls on one sbx_config must not overlap.
 *    sbx_engine_destroy must be an engine's last call.
 * 5. Commands ("Command." in their description) are checked at once and carried out later on the
 *    engine's thread, in the order of the calls: never inside the call, so that none of your
 *    callbacks ever runs inside another. They need a serving engine: SBX_E_STATE before it listens
 *    and once it has ended. A message to a socket that has gone meanwhile is dropped and counted.
 * 6. Callbacks come on the engine's thread, one at a time, and must neither block nor throw: while
 *    one runs, nobody is served. A callback gets the `user` pointer that was registered with it; it
 *    must live until sbx_engine_destroy returns.
 * 7. JSON. `args` is the text of a JSON array (RFC 8259): an event's or an acknowledgement's
 *    arguments. Binary arguments are attachments: where attachment n belongs, `args` has the object
 *    {"_placeholder":true,"num":n}, counted from 0, and each attachment has its place. Where there
 *    are no attachments such an object is like any other.
 * 8. Versions. A program that runs with version 1.n runs with every later 1.m. Numbers of
 *    enumerators never change their meaning. Structs begin with their size: you set it in those
 *    that you fill in, so that a later library knows which members yours has, and a later library
 *    may hand you longer ones. sbx_bytes and sbx_pair stay as they are.
 * 9. The process. An engine that begins to listen makes the process ignore SIGPIPE.
 */
#ifndef SIGNALBOX_H
#define SIGNALBOX_H

#include <stddef.h>
#include <stdint.h>

#include "signalbox_version.h"

#if defined(__GNUC__)
#define SBX_API __attribute__((visibility("default")))
#else
#define SBX_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* --- Version and errors -------------------------------------------------------------------- */

/** The version of the library that is loaded, e.g. "1.0.0"; SBX_VERSION is the header's. */
SBX_API const char* sbx_version(void);

/** Every error: name, value, text. */
#define SBX_ERROR_MAP(X)                                                          \
  X(SBX_OK, 0, "success")                                                         \
  X(SBX_E_INVALID, -1, "an argument or option that cannot be accepted")           \
  X(SBX_E_STATE, -2, "the call does not fit the state of the engine")             \
  X(SBX_E_ADDRESS, -3, "the listening address is in use, not ours, or forbidden") \
  X(SBX_E_SYSTEM, -4, "the system refused memory, descriptors or threads")        \
  X(SBX_E_UNAVAILABLE, -5, "a service that is needed does not answer")            \
  X(SBX_E_INTERNAL, -6, "a defect in the library")                                \
  X(SBX_E_TIMEOUT, -7, "the answer did not come in time")                         \
  X(SBX_E_GONE, -8, "the socket is gone")

/** What functions return. */
typedef enum sbx_error {
#define SBX_ERROR_ENUMERATOR(name, value, text) name = value,
  SBX_ERROR_MAP(SBX_ERROR_ENUMERATOR)
#undef SBX_ERROR_ENUMERATOR
} sbx_error;

/** What a code means, in general; "unknown error" for a number that is no code. */
SBX_API const char* sbx_error_text(int code);

/** What was wrong with the last call on this thread that failed, for a person to read; "" when none
 * has. Lives until the next call on this thread that fails. */
SBX_API const char* sbx_last_error(void);

/* --- Options ------------------------------------------------------------------------------- */

/** What an option's text must be. */
typedef enum sbx_option_type {
  SBX_OPTION_STRING = 0,
  SBX_OPTION_INTEGER = 1, /**< decimal, in [minimum, maximum] */
  SBX_OPTION_BOOLEAN = 2, /**< true/false, yes/no, on/off, 1/0 */
  SBX_OPTION_LIST = 3     /**< comma-separated; "" is the empty list */
} sbx_option_type;

/** An option, as sbx_option_get describes it. */
typedef struct sbx_option_info {
  size_t size;               /**< sizeof(sbx_option_info), set by the caller */
  const char* name;          /**< as sbx_config_set takes it */
  sbx_option_type type;      /**< what its text must be */
  const char* unit;          /**< of an integer: "ms", "s", "bytes", or "" */
  int64_t minimum;           /**< of an integer */
  int64_t maximum;           /**< of an integer */
  const char* default_value; /**< as sbx_config_set takes it */
  const char* doc;           /**< one line */
  int live;                  /**< not 0: sbx_engine_set can change it (since 1.1) */
  int secret; /**< not 0: it may hold a password or a key, so do not show it (since 1.1) */
} sbx_option_info;

/** How many options there are. */
SBX_API size_t sbx_option_count(void);

/** Describes option `index`, counted from 0, in *info: members up to info->size.
 * SBX_E_INVALID when there is no such option, or info->size is smaller than any version of the
 * struct. */
SBX_API sbx_error sbx_option_get(size_t index, sbx_option_info* info);

/** A count that engines keep, as sbx_counter_get describes it. Since 1.1. */
typedef struct sbx_counter_info {
  size_t size;      /**< sizeof(sbx_counter_info), set by the caller */
  const char* name; /**< such as "relays"; the same in all versions that have it */
  const char* doc;  /**< one line: what is counted */
} sbx_counter_info;

/** How many counters there are. Since 1.1. */
SBX_API size_t sbx_counter_count(void);

/** Describes counter `index`, counted from 0, in *info. Other versions may have it at another
 * index: look for the name. SBX_E_INVALID when there is no such counter, or info->size is smaller
 * than any version of the struct. Since 1.1. */
SBX_API sbx_error sbx_counter_get(size_t index, sbx_counter_info* info);

/** A number of an engine's that also goes down, as sbx_gauge_get describes it. Since 1.1. */
typedef struct sbx_gauge_info {
  size_t size;      /**< sizeof(sbx_gauge_info), set by the caller */
  const char* name; /**< such as "rooms"; the same in all versions that have it */
  const char* doc;  /**< one line: what it is the number of */
} sbx_gauge_info;

/** How many gauges there are. Since 1.1. */
SBX_API size_t sbx_gauge_count(void);

/** Describes gauge `index`, counted from 0, in *info. Other versions may have it at another index:
 * look for the name. SBX_E_INVALID when there is no such gauge, or info->size is smaller than any
 * version of the struct. Since 1.1. */
SBX_API sbx_error sbx_gauge_get(size_t index, sbx_gauge_info* info);

/** Times that engines measure, as sbx_histogram_get describes them. Since 1.1. */
typedef struct sbx_histogram_info {
  size_t size;          /**< sizeof(sbx_histogram_info), set by the caller */
  const char* name;     /**< such as "join_duration"; the same in all versions that have it */
  const char* doc;      /**< one line: what is measured */
  const double* bounds; /**< in seconds, growing; the same for all engines */
  size_t bound_count;   /**< of bounds */
} sbx_histogram_info;

/** How many histograms there are. Since 1.1. */
SBX_API size_t sbx_histogram_count(void);

/** Describes histogram `index`, counted from 0, in *info. Other versions may have it at another
 * index, or other bounds: look for the name. SBX_E_INVALID when there is no such histogram, or
 * info->size is smaller than any version of the struct. Since 1.1. */
SBX_API sbx_error sbx_histogram_get(size_t index, sbx_histogram_info* info);

/** How grave a line of log is. */
typedef enum sbx_log_level {
  SBX_LOG_ERROR = 0,
  SBX_LOG_WARNING = 1,
  SBX_LOG_INFO = 2,
  SBX_LOG_DEBUG = 3
} sbx_log_level;

/** A set of options; see sbx_config_new. */
typedef struct sbx_config sbx_config;

/** A configuration with every option at its default, for the caller to free. NULL when there is no
 * memory. */
SBX_API sbx_config* sbx_config_new(void);

/** Gives a configuration back. Engines made from it are not affected. NULL is allowed. */
SBX_API void sbx_config_free(sbx_config* config);

/** Sets one option from its text; units are those of sbx_option_info. SBX_E_INVALID when there is
 * no option of that name or it does not allow the value; the error then names the option, the value
 * and what is allowed, and the configuration is as it was. */
SBX_API sbx_error sbx_config_set(sbx_config* config, const char* name, const char* value);

/** Tells whether an engine could serve with this configuration, as far as that can be known without
 * listening and without asking Redis. SBX_E_INVALID when options do not fit together or a file that
 * one of them names (such as tls.cert) cannot be used, as sbx_engine_start would find; the error
 * then has a line for each, which begins with "option NAME: ". Reads the files. Since 1.1. */
SBX_API sbx_error sbx_config_check(const sbx_config* config);

/** Chooses which log lines reach the log callback: those of `level` and graver ones. SBX_LOG_INFO
 * unless set. SBX_E_INVALID when `level` is not an sbx_log_level. */
SBX_API sbx_error sbx_config_set_log_level(sbx_config* config, int level);

/* --- What callbacks are handed ------------------------------------------------------------- */

/** Some bytes, which need not be text. */
typedef struct sbx_bytes {
  const void* data; /**< the first; NULL is allowed when size is 0 */
  size_t size;      /**< how many */
} sbx_bytes;

/** A header or a query parameter. Names of headers are in small letters; values are as they came
 * and need not be UTF-8. */
typedef struct sbx_pair {
  const char* name;  /**< in small letters, when a header's */
  const char* value; /**< "" when it has none */
} sbx_pair;

/** A client asks to be let into a namespace. Headers and query are those of the request that opened
 * its session; see option http.headers. A session that was opened while no namespace had a
 * `connecting` handler shows none. */
typedef struct sbx_connect {
  size_t size;         /**< of this struct */
  uint64_t ticket;     /**< for sbx_accept or sbx_refuse, now or later */
  const char* nsp;     /**< the namespace */
  const char* socket;  /**< the id that the socket will have: 20 characters, unique, public */
  const char* auth;    /**< what the client gave as auth: a JSON object; "{}" when it gave none */
  const char* address; /**< the client's, behind trusted proxies (option proxy.trusted) */
  const sbx_pair* headers; /**< of the request that opened the session; see above */
  size_t header_count;     /**< of headers */
  const sbx_pair* query;   /**< of the same request, decoded */
  size_t query_count;      /**< of query */
} sbx_connect;

/** A socket has connected or disconnected. */
typedef struct sbx_socket {
  size_t size;         /**< of this struct */
  const char* nsp;     /**< its namespace */
  const char* socket;  /**< its id */
  const char* address; /**< the client's */
  const char* reason;  /**< of a disconnect, as Socket.IO names it ("transport close"); else NULL */
  void* data;          /**< see sbx_set_data */
} sbx_socket;

/** A client has sent an event. */
typedef struct sbx_event {
  size_t size;                  /**< of this struct */
  const char* nsp;              /**< its namespace */
  const char* socket;           /**< the sender's id */
  const char* name;             /**< of the event */
  const char* args;             /**< a JSON array, see 7. */
  size_t args_length;           /**< of args, in bytes without its NUL */
  const sbx_bytes* attachments; /**< the binary arguments */
  size_t attachment_count;      /**< of attachments */
  uint64_t ack; /**< for sbx_ack, now or later; 0 when the client asked for no acknowledgement */
  void* data;   /**< see sbx_set_data */
} sbx_event;

/** What became of sbx_emit_with_ack. */
typedef struct sbx_answer {
  size_t size;        /**< of this struct */
  sbx_error status;   /**< SBX_OK; SBX_E_TIMEOUT; SBX_E_GONE: the socket was or went away */
  const char* socket; /**< who was asked */
  const char* args;   /**< of the acknowledgement, a JSON array; "[]" unless status is SBX_OK */
  size_t args_length; /**< of args, in bytes without its NUL */
  const sbx_bytes* attachments; /**< the binary arguments */
  size_t attachment_count;      /**< of attachments */
} sbx_answer;

/** A room of the room application is to be created, or to be entered. */
typedef struct sbx_room_request {
  size_t size;         /**< of this struct */
  uint64_t ticket;     /**< for sbx_accept or sbx_refuse, now or later */
  const char* room;    /**< its id */
  const char* socket;  /**< who wants to enter; NULL when a room is to be created */
  const char* address; /**< the client's */
  void* data;          /**< of the socket, see sbx_set_data; NULL when a room is to be created */
  const sbx_pair* headers; /**< of the request to create a room; see option http.headers */
  size_t header_count;     /**< of headers; 0 when a room is to be entered */
  const sbx_pair* query;   /**< of the same request, decoded */
  size_t query_count;      /**< of query */
} sbx_room_request;

/** An HTTP request under a path of yours. */
typedef struct sbx_http_request {
  size_t size;             /**< of this struct */
  uint64_t ticket;         /**< for sbx_http_respond, now or later */
  const char* method;      /**< "GET", "POST", ... */
  const char* path;        /**< whole, percent-decoded, without the query */
  const char* address;     /**< the client's, behind trusted proxies */
  const sbx_pair* headers; /**< see option http.headers */
  size_t header_count;     /**< of headers */
  const sbx_pair* query;   /**< decoded, in order */
  size_t query_count;      /**< of query */
  sbx_bytes body;          /**< at most http.max_body bytes; 413 has been answered beyond */
} sbx_http_request;

/* --- Engine -------------------------------------------------------------------------------- */

/** What an engine tells its host, and asks it. Each member but size may be NULL. */
typedef struct sbx_callbacks {
  size_t size; /**< sizeof(sbx_callbacks), set by the caller */
  void* user;  /**< passed to every callback */

  /** One line of log in logfmt (msg="connected to Redis" link=commands), without line end; no
   * control character is in it. Rooms are named at SBX_LOG_DEBUG only, where each socket and room
   * leaves its trace; of any other msg, 60 lines a minute come, and the next one has a field
   * held_back. Comes also from the thread that is in sbx_engine_start, _run, _open or _attach. */
  void (*log)(void* user, sbx_log_level level, const char* line);
  /** The engine listens on `port`. Once, if it gets that far. */
  void (*started)(void* user, uint16_t port);
  /** The engine has ended; once after `started`, its last callback. */
  void (*stopped)(void* user);

  /** A room of the room application came into being. */
  void (*room_created)(void* user, const char* room);
  /** A socket entered a room, for the first time or again. */
  void (*joined)(void* user, const char* room, const char* socket);
  /** A socket left a room: asked to, or disconnected. */
  void (*left)(void* user, const char* room, const char* socket);
  /** A socket was not let into a room; `reason` is what it was told. */
  void (*refused)(void* user, const char* room, const char* socket, const char* reason);

  /** May this room be created? Answer by sbx_accept or sbx_refuse with the request's ticket, now or
   * within the option decision.timeout, after which it is refused. NULL: every room may. */
  void (*creating)(void* user, const sbx_room_request* request);
  /** May this socket enter this room? The room may not exist. Answered likewise; not asked of a
   * socket that is in the room already. NULL: every socket may. */
  void (*joining)(void* user, const sbx_room_request* request);
  /** A ticket has become void without your answer: its client has gone (one that has closed its
   * half of an HTTP connection counts as gone), its time is up, or the engine ends. Whatever kind
   * it is of: sbx_connect, sbx_room_request, sbx_http_request. */
  void (*abandoned)(void* user, uint64_t ticket);
} sbx_callbacks;

/** A server; see sbx_engine_create. */
typedef struct sbx_engine sbx_engine;

/** Makes an engine from copies of the configuration and the callbacks (NULL: none), for the caller
 * to destroy, and stores it in *engine. Nothing is opened yet. SBX_E_INVALID when callbacks->size
 * is smaller than any version of the struct, SBX_E_SYSTEM when descriptors are refused. */
SBX_API sbx_error sbx_engine_create(const sbx_config* config, const sbx_callbacks* callbacks,
                                    sbx_engine** engine);

/** Lets `engine` serve on the same port as `with`, and as those engines that share it already: for
 * a host that wants to use more cores, each engine on a thread of its own. To be called before any
 * of them listens. Then start each as you like; each accepts clients, and a client is served by the
 * engine that had the least to do when it came. What a client sends later, be it on another
 * connection, finds the engine that has its session. The option limits.connections bounds all of
 * them together. Otherwise each is an engine of its own: its callbacks come on its own thread,
 * handlers are registered with each, and tickets belong to one of them. Where their Redis is the
 * same, sockets of a room, and those that sbx_emit() names, are reached directly, not over Redis,
 * also while that is away; what a client sends then comes behind the news that it is in the room,
 * what the host sends to a room may come ahead of news that Redis still tells. Any of them can be
 * stopped, joined and destroyed before the others, in any order, while those serve; its sessions
 * end with it, and its clients come back to the others. SBX_E_STATE when one of them has begun to
 * listen, or `engine` shares a port already; SBX_E_INVALID when they are the same engine, their
 * options listen.host, listen.port, listen.fd or socketio.path differ, one speaks TLS and the other
 * does not, or 64 engines share the port. Since 1.1. */
SBX_API sbx_error sbx_engine_share_port(sbx_engine* engine, sbx_engine* with);

/** Listens and serves on a thread of the engine's own. Returns once it listens; after a failure no
 * callback but `log` was called. An engine serves once. SBX_E_INVALID when options do not fit
 * together, SBX_E_ADDRESS when the listening address cannot be had, SBX_E_SYSTEM when the system
 * refuses descriptors or a thread, SBX_E_STATE when the engine has served, or tried to, before. */
SBX_API sbx_error sbx_engine_start(sbx_engine* engine);

/** Listens and serves on this thread, until stopped: SBX_OK then. Errors as sbx_engine_start. */
SBX_API sbx_error sbx_engine_run(sbx_engine* engine);

struct uv_loop_s;

/** Listens, and serves whenever `loop` (a uv_loop_t) runs. For a host with a libuv loop (libuv 1.44
 * or later, the one that the library is linked with). To be called on the loop's thread. After
 * sbx_engine_stop let the loop run until `stopped` was called, then destroy the engine on the
 * loop's thread, and run the loop once more before closing it. Errors as sbx_engine_start. */
SBX_API sbx_error sbx_engine_attach(sbx_engine* engine, struct uv_loop_s* loop);

/** Listens, and serves whenever sbx_engine_run_once is called. For a host with a loop of another
 * kind, which waits for sbx_engine_poll_fd. Errors as sbx_engine_start. */
SBX_API sbx_error sbx_engine_open(sbx_engine* engine);

/** Serves what there is to do, waiting for it at most `timeout_ms` milliseconds (0: not at all; -1:
 * without bound). For an engine that sbx_engine_open has opened; always on the same thread, not
 * inside a callback. SBX_OK while the engine serves; SBX_E_STATE from the call on in which it ends
 * after sbx_engine_stop, and for an engine that is not open. */
SBX_API sbx_error sbx_engine_run_once(sbx_engine* engine, int timeout_ms);

/** A descriptor that becomes readable when sbx_engine_run_once has something to do: for poll(),
 * epoll or kqueue, not to be read or closed. -1 unless sbx_engine_open has opened the engine. */
SBX_API int sbx_engine_poll_fd(const sbx_engine* engine);

/** How many milliseconds to wait at most for that descriptor before sbx_engine_run_once is to be
 * called anyway, because a deadline falls due; -1: without bound; 0 also once the engine has ended.
 * Ask before each wait, on the thread that calls sbx_engine_run_once. */
SBX_API int sbx_engine_poll_timeout(const sbx_engine* engine);

/** Asks the engine to end: it stops listening, closes its sessions and takes their sockets out of
 * their rooms. Clients come back by themselves, elsewhere if there is an elsewhere; so that they do
 * not all do so in one instant, their sessions are closed one after another, 5 ms apart or closer,
 * within the option shutdown.drain. Meanwhile everything goes on for the others, but /health
 * answers 503. What is under way then (joins, messages that wait for the next poll of a client,
 * questions that wait for you) may end, within the option shutdown.timeout. Returns at once;
 * `stopped` tells the end. What this thread has called before is carried out first. From a signal
 * handler, too; again, too: the sessions that are left are then closed at once. A stop that comes
 * before the engine serves ends it as soon as it listens. No errors but NULL. */
SBX_API sbx_error sbx_engine_stop(sbx_engine* engine);

/** Waits for the thread of sbx_engine_start to end; at once when there is none. SBX_E_STATE inside
 * a callback of this engine. */
SBX_API sbx_error sbx_engine_join(sbx_engine* engine);

/** Changes an option while the engine serves, from its text as sbx_config_set takes it. What is
 * under way keeps to what held when it began: clients that are connected stay when a limit falls
 * below their number. tls.cert or tls.key, even with the value that it has, makes the engine read
 * both files again, for the connections that come then. Command. SBX_E_INVALID when there is no
 * option of that name, it cannot change while the engine serves (see sbx_option_info), or it does
 * not allow the value; nothing changes then. Since 1.1. */
SBX_API sbx_error sbx_engine_set(sbx_engine* engine, const char* name, const char* value);

/** Calls `function` on the engine's thread, once, like a callback: for a host that wants to do
 * there what must not overlap its callbacks, or to know that the engine still turns. Command. When
 * the engine ends meanwhile it is called before `stopped`; after an error it is not called.
 * Since 1.1. */
SBX_API sbx_error sbx_engine_call(sbx_engine* engine, void (*function)(void* user), void* user);

/** Changes which lines reach the log callback; see sbx_config_set_log_level. Command. SBX_E_INVALID
 * when `level` is not an sbx_log_level. Since 1.1. */
SBX_API sbx_error sbx_engine_set_log_level(sbx_engine* engine, int level);

/** The port the engine listens on, also when the option listen.port is 0; 0 while it does not
 * listen, and for NULL. */
SBX_API uint16_t sbx_engine_port(const sbx_engine* engine);

/** What counter `index` of sbx_counter_get says, in *value: how often it has happened since the
 * engine was created, also once it has ended. Engines that share a port count each for itself.
 * SBX_E_INVALID when there is no such counter. Since 1.1. */
SBX_API sbx_error sbx_engine_counter(const sbx_engine* engine, size_t index, uint64_t* value);

/** What gauge `index` of sbx_gauge_get of this engine is at: in *value. SBX_E_INVALID when there is
 * no such gauge. Since 1.1. */
SBX_API sbx_error sbx_engine_gauge(const sbx_engine* engine, size_t index, uint64_t* value);

/** What the engine has measured since it was created for histogram `index` of sbx_histogram_get.
 * buckets[i] becomes how many times were up to bounds[i] seconds and more than the bound before,
 * the last one how many were more than all bounds: so bucket_count must be bound_count + 1. *sum
 * becomes all of them together, in seconds. While the engine serves, one time may be in the buckets
 * and not yet in the sum. SBX_E_INVALID when there is no such histogram, or bucket_count is
 * another. Since 1.1. */
SBX_API sbx_error sbx_engine_histogram(const sbx_engine* engine, size_t index, uint64_t* buckets,
                                       size_t bucket_count, double* sum);

/** Stops the engine if need be, waits for its own thread and frees it. NULL is allowed. An engine
 * that sbx_engine_open has opened is served to its end on this thread. SBX_E_STATE, and nothing is
 * freed, inside a callback of this engine, while another thread is in sbx_engine_run, and for an
 * attached engine that has not ended. */
SBX_API sbx_error sbx_engine_destroy(sbx_engine* engine);

/* --- Namespaces and events (https://github.com/socketio/socket.io-protocol) ------------------ */

/** What happens in a namespace. Each member but size may be NULL. */
typedef struct sbx_namespace {
  size_t size; /**< sizeof(sbx_namespace), set by the caller */
  void* user;  /**< passed to these callbacks */

  /** May this client connect? Answer by sbx_accept or sbx_refuse with the request's ticket, now or
   * within the option decision.timeout, after which it is refused. NULL: every client may. */
  void (*connecting)(void* user, const sbx_connect* request);
  /** A socket has connected. */
  void (*connected)(void* user, const sbx_socket* socket);
  /** A socket has disconnected: the last that is heard of it. */
  void (*disconnected)(void* user, const sbx_socket* socket);
  /** An event that has no handler of its own. NULL: such events are ignored. */
  void (*event)(void* user, const sbx_event* event);
} sbx_namespace;

/** Declares a namespace, so that clients can connect to it, and how it is handled; `handlers` may
 * be NULL. `name` begins with "/". "/" exists already while the option signaling.enabled is on, and
 * these handlers come beside the room application then. Can be called while the engine serves; it
 * then takes effect like a command. SBX_E_INVALID when the name is not "/" and something, without
 * '?' or ',', up to 128 bytes, or handlers->size is smaller than any version of the struct.
 * Declaring again replaces the handlers. SBX_E_STATE when the engine has ended. */
SBX_API sbx_error sbx_engine_add_namespace(sbx_engine* engine, const char* name,
                                           const sbx_namespace* handlers);

/** Registers the handler of one event of a namespace, replacing an earlier one; NULL takes it away.
 * Declares the namespace if need be. Can be called while the engine serves; it then takes effect
 * like a command. SBX_E_INVALID when the name of the namespace is not allowed, when the event is
 * one of the room application's (join, offer, answer, ice-candidate, initiator-online,
 * recipient-ready, on "/" while signaling.enabled is on) or one that Socket.IO reserves (connect,
 * connect_error, disconnect, disconnecting, newListener, removeListener). SBX_E_STATE when the
 * engine has ended. */
SBX_API sbx_error sbx_engine_on(sbx_engine* engine, const char* nsp, const char* event,
                                void (*handler)(void* user, const sbx_event* event), void* user);

/** Sends an event to one socket, of this engine or of another node on the same Redis (while the
 * option signaling.enabled is on). Command. SBX_E_INVALID when `event` is reserved (see
 * sbx_engine_on), when `args` (NULL: none) is not a JSON array, or its placeholders do not match
 * the attachments. */
SBX_API sbx_error sbx_emit(sbx_engine* engine, const char* socket, const char* event,
                           const char* args, const sbx_bytes* attachments, size_t attachment_count);

/** Sends an event to one socket and asks for an acknowledgement. `handler` is called once: with the
 * answer, after `timeout_ms` milliseconds, or when the socket is gone, or not of this engine; also
 * when the engine ends.
 * Command. Errors as sbx_emit; SBX_E_INVALID too when timeout_ms is 0 or more than 86400000 (a
 * day); the handler is not called after an error. */
SBX_API sbx_error sbx_emit_with_ack(sbx_engine* engine, const char* socket, const char* event,
                                    const char* args, const sbx_bytes* attachments,
                                    size_t attachment_count, uint32_t timeout_ms,
                                    void (*handler)(void* user, const sbx_answer* answer),
                                    void* user);

/** Sends an event to the sockets of a namespace that sbx_join has put into `room` (NULL: to all
 * sockets of the namespace), but for `except` (NULL: but for none). It reaches the sockets of all
 * nodes on the same Redis (while the option signaling.enabled is on; else of this engine); what is
 * broadcast while Redis is away stays here. A namespace that nobody has declared has none. Command.
 * Errors as sbx_emit; SBX_E_INVALID too when the name of the namespace, or that of the room (see
 * sbx_join), is not allowed. */
SBX_API sbx_error sbx_broadcast(sbx_engine* engine, const char* nsp, const char* room,
                                const char* except, const char* event, const char* args,
                                const sbx_bytes* attachments, size_t attachment_count);

/** Sends an event to the sockets, of all nodes, that are in a room of the room application, but for
 * `except`
 * (NULL: but for none). Command. Errors as sbx_emit; SBX_E_STATE too when the option
 * signaling.enabled is off. */
SBX_API sbx_error sbx_broadcast_to_peers(sbx_engine* engine, const char* room, const char* except,
                                         const char* event, const char* args,
                                         const sbx_bytes* attachments, size_t attachment_count);

/** Answers an event that asked for an acknowledgement: `socket` and `ack` are the event's. To be
 * called once for each; a client ignores a second answer. Command. SBX_E_INVALID when `ack` is 0,
 * and for `args` and attachments as sbx_emit. */
SBX_API sbx_error sbx_ack(sbx_engine* engine, const char* socket, uint64_t ack, const char* args,
                          const sbx_bytes* attachments, size_t attachment_count);

/** Says yes to the client or the room that asked with this ticket. Command. A ticket that is void
 * is ignored: answered before, or `abandoned`. */
SBX_API sbx_error sbx_accept(sbx_engine* engine, uint64_t ticket);

/** Says no to the client or the room that asked with this ticket. The client sees `message`: as the
 * message of its connect_error, of its joinResponse, or of the answer to its request to create a
 * room. `data`, a JSON text or NULL, becomes the data of the connect_error; nobody else sees it.
 * Command. SBX_E_INVALID when `message` or `data` is not UTF-8, or `data` is no JSON. A ticket that
 * is void is ignored: answered before, or `abandoned`. */
SBX_API sbx_error sbx_refuse(sbx_engine* engine, uint64_t ticket, const char* message,
                             const char* data);

/** Takes a socket out of its namespace; the client is told, and may connect again. With `close` not
 * 0 its whole connection is ended, with the sockets that it has in other namespaces. Command. */
SBX_API sbx_error sbx_disconnect(sbx_engine* engine, const char* socket, int close);

/** Puts a socket into a room of its namespace, for sbx_broadcast; again: nothing happens. These
 * rooms are yours: they have nothing to do with those of the room application, exist while a socket
 * is in them, and no client sees them. A socket that disconnects leaves its rooms. Command.
 * SBX_E_INVALID when `room` is empty or longer than 256 bytes. */
SBX_API sbx_error sbx_join(sbx_engine* engine, const char* socket, const char* room);

/** Takes a socket out of a room of its namespace. Command. */
SBX_API sbx_error sbx_leave(sbx_engine* engine, const char* socket, const char* room);

/** Attaches data of yours to a socket: what its callbacks get from then on as `data`. A socket
 * whose client waits for sbx_accept has an id already (sbx_connect): what is attached before that
 * call reaches `connected`, too. `release` (NULL: none) is called with the data once, on the
 * engine's thread: when other data takes its place, when the client is refused, after the socket's
 * `disconnected`, or when there was no such socket any more. Command; after an error release is not
 * called. */
SBX_API sbx_error sbx_set_data(sbx_engine* engine, const char* socket, void* data,
                               void (*release)(void* data));

/* --- HTTP on the same port ------------------------------------------------------------------ */

/** Hands every request whose path is `prefix`, or begins with it and a slash, to `handler`; the
 * longest prefix counts. The room application's own paths (such as /api/create_room or /health) go
 * before, and so does socketio.path, but for mounts below it (/socket.io/socket.io.js). To be
 * answered by sbx_http_respond, now or within the option decision.timeout, after which 504 is
 * answered; CORS headers and preflights are the library's (option cors.origins). `handler` NULL
 * takes the prefix away. Can be called while the engine serves; it then takes effect like a
 * command. SBX_E_INVALID when `prefix` does not begin with "/" or ends with one, but for "/"
 * itself. SBX_E_STATE when the engine has ended. */
SBX_API sbx_error sbx_engine_mount(sbx_engine* engine, const char* prefix,
                                   void (*handler)(void* user, const sbx_http_request* request),
                                   void* user);

/** Answers a request. Headers are added to those of the library (Content-Length, Connection, CORS),
 * which cannot be set. Command. SBX_E_INVALID when `status` is not in 200..599, or a header's name
 * or value has characters that HTTP does not allow there, or is the library's. A ticket that is
 * void is ignored: answered before, or `abandoned`. */
SBX_API sbx_error sbx_http_respond(sbx_engine* engine, uint64_t ticket, int status,
                                   const sbx_pair* headers, size_t header_count, const void* body,
                                   size_t body_size);

#ifdef __cplusplus
}
#endif

#endif
