/* Signalbox: a WebRTC signaling server, compatible with Socket.IO 4, inside your program.
 *
 *   sbx_config *config = sbx_config_new();
 *   sbx_engine *engine = NULL;
 *   char err[256];
 *   if (sbx_config_set(config, "redis.url", "redis://127.0.0.1", err, sizeof err) == SBX_OK &&
 *       sbx_engine_create(config, NULL, &engine, err, sizeof err) == SBX_OK)
 *     sbx_engine_run(engine, err, sizeof err);
 *   sbx_engine_destroy(engine);
 *   sbx_config_free(config);
 *
 * The contract, which holds for every function:
 *
 * 1. Handles. sbx_config and sbx_engine are opaque; the caller owns what it creates and gives each
 *    back once, by sbx_config_free and sbx_engine_destroy. NULL may be given back; it does nothing.
 *    A handle that was given back must not be used again.
 * 2. Strings are UTF-8 and end in NUL. The library copies what it is given and keeps no pointer to
 * it. Strings that functions return live as long as the program; strings that callbacks are handed
 *    live until the callback returns.
 * 3. Errors. Functions that can fail return sbx_error: SBX_OK or a negative code. Where a function
 *    takes (err, errlen), a failure also writes there what is wrong, for a person to read: at most
 *    errlen bytes, NUL included, cut between characters. err may be NULL and errlen 0 for no text.
 * On success err is left alone. On failure every other output is left alone, too. Any function may
 *    return, beyond the errors listed with it: SBX_E_INVALID for a NULL where none is allowed,
 *    SBX_E_SYSTEM when the system refuses memory, SBX_E_INTERNAL for a defect of the library.
 *    No C++ exception ever leaves the library. It never ends the process and never prints.
 * 4. Threads. An engine serves on one thread: its own after sbx_engine_start, the caller's in
 *    sbx_engine_run. sbx_engine_stop and sbx_engine_port may be called on a live handle from any
 *    thread, sbx_engine_stop also from a signal handler. Other calls on one handle must not
 * overlap. Different handles are independent.
 * 5. Callbacks come on the engine's thread, one at a time, and must neither block nor throw: while
 *    one runs, nobody is served. They may call sbx_engine_stop and sbx_engine_port. An engine that
 * is waited for or destroyed inside one of its callbacks refuses with SBX_E_STATE.
 * 6. Versions. Until 1.0 a new minor version may break the ABI and then changes the soname; a patch
 *    version does not. Numbers of enumerators never change their meaning. Structs that you allocate
 *    begin with their size, so that a later library knows which members yours has.
 * 7. The process. Creating the first engine makes the process ignore SIGPIPE.
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

/* The version of the library that is loaded, e.g. "0.1.0"; SBX_VERSION is the header's. Any thread.
 */
SBX_API const char* sbx_version(void);

/* Every error: name, value, text. */
#define SBX_ERROR_MAP(X)                                                          \
  X(SBX_OK, 0, "success")                                                         \
  X(SBX_E_INVALID, -1, "an argument or option that cannot be accepted")           \
  X(SBX_E_STATE, -2, "the call does not fit the state of the engine")             \
  X(SBX_E_ADDRESS, -3, "the listening address is in use, not ours, or forbidden") \
  X(SBX_E_SYSTEM, -4, "the system refused memory, descriptors or threads")        \
  X(SBX_E_UNAVAILABLE, -5, "a service that is needed does not answer")            \
  X(SBX_E_INTERNAL, -6, "a defect in the library")

typedef enum sbx_error {
#define SBX_ERROR_ENUMERATOR(name, value, text) name = value,
  SBX_ERROR_MAP(SBX_ERROR_ENUMERATOR)
#undef SBX_ERROR_ENUMERATOR
} sbx_error;

/* What a code means, in general; "unknown error" for a number that is no code. Any thread. */
SBX_API const char* sbx_error_text(int code);

/* --- Options ------------------------------------------------------------------------------- */

typedef enum sbx_option_type {
  SBX_OPTION_STRING = 0,
  SBX_OPTION_INTEGER = 1, /* decimal, in [minimum, maximum] */
  SBX_OPTION_BOOLEAN = 2, /* true/false, yes/no, on/off, 1/0 */
  SBX_OPTION_LIST = 3     /* comma-separated; "" is the empty list */
} sbx_option_type;

typedef struct sbx_option_info {
  size_t size; /* sizeof(sbx_option_info), set by the caller */
  const char* name;
  sbx_option_type type;
  const char* unit; /* of an integer: "ms", "s", "bytes", or "" */
  int64_t minimum;  /* of an integer */
  int64_t maximum;
  const char* default_value; /* as sbx_config_set takes it */
  const char* doc;           /* one line */
} sbx_option_info;

/* How many options there are. Any thread. */
SBX_API size_t sbx_option_count(void);

/* Describes option `index`, counted from 0, in *info: members up to info->size. Any thread.
 * SBX_E_INVALID when there is no such option, or info->size is smaller than any version of the
 * struct. */
SBX_API sbx_error sbx_option_get(size_t index, sbx_option_info* info);

typedef enum sbx_log_level {
  SBX_LOG_ERROR = 0,
  SBX_LOG_WARNING = 1,
  SBX_LOG_INFO = 2,
  SBX_LOG_DEBUG = 3
} sbx_log_level;

typedef struct sbx_config sbx_config;

/* A configuration with every option at its default, for the caller to free. NULL when there is no
 * memory. Any thread. */
SBX_API sbx_config* sbx_config_new(void);

/* Gives a configuration back. Engines made from it are not affected. NULL is allowed. */
SBX_API void sbx_config_free(sbx_config* config);

/* Sets one option from its text; units are those of sbx_option_info. SBX_E_INVALID when there is no
 * option of that name or it does not allow the value; the text then names the option, the value and
 * what is allowed, and the configuration is as it was. */
SBX_API sbx_error sbx_config_set(sbx_config* config, const char* name, const char* value, char* err,
                                 size_t errlen);

/* Chooses which log lines reach the log callback: those of `level` and graver ones. SBX_LOG_INFO
 * unless set. SBX_E_INVALID when `level` is not an sbx_log_level. */
SBX_API sbx_error sbx_config_set_log_level(sbx_config* config, int level);

/* --- Engine -------------------------------------------------------------------------------- */

/* What an engine tells its host. Each member but size may be NULL. */
typedef struct sbx_callbacks {
  size_t size; /* sizeof(sbx_callbacks), set by the caller */
  void* user;  /* passed to every callback; must live until sbx_engine_destroy returns */

  /* One line of log, without line end; control characters are escaped. */
  void (*log)(void* user, sbx_log_level level, const char* line);
  /* The engine listens on `port`. Once for each successful start or run. */
  void (*started)(void* user, uint16_t port);
  /* The engine has ended; once after each `started`, its last callback. */
  void (*stopped)(void* user);
  /* A room came into being. */
  void (*room_created)(void* user, const char* room);
  /* A socket entered a room, for the first time or again. */
  void (*joined)(void* user, const char* room, const char* socket);
  /* A socket left a room: asked to, or disconnected. */
  void (*left)(void* user, const char* room, const char* socket);
  /* A socket was not let into a room; `reason` is what it was told. */
  void (*refused)(void* user, const char* room, const char* socket, const char* reason);
} sbx_callbacks;

typedef struct sbx_engine sbx_engine;

/* Makes an engine from copies of the configuration and the callbacks (NULL: none), for the caller
 * to destroy, and stores it in *engine. Nothing is opened yet. SBX_E_INVALID when callbacks->size
 * is smaller than any version of the struct, SBX_E_SYSTEM when descriptors are refused. */
SBX_API sbx_error sbx_engine_create(const sbx_config* config, const sbx_callbacks* callbacks,
                                    sbx_engine** engine, char* err, size_t errlen);

/* Listens and serves on a thread of the engine's own. Returns once it listens; after a failure no
 * callback but `log` was called. An engine starts or runs once. SBX_E_INVALID when options do not
 * fit together, SBX_E_ADDRESS when the listening address cannot be had, SBX_E_SYSTEM when the
 * system refuses descriptors or a thread, SBX_E_STATE when the engine was started or run before. */
SBX_API sbx_error sbx_engine_start(sbx_engine* engine, char* err, size_t errlen);

/* Listens and serves on this thread, until stopped: SBX_OK then. Errors as sbx_engine_start. */
SBX_API sbx_error sbx_engine_run(sbx_engine* engine, char* err, size_t errlen);

/* Asks the engine to end: it stops listening, closes its sessions, takes their sockets out of their
 * rooms, within the option shutdown.timeout. Returns at once; `stopped` tells the end. Any thread,
 * a callback, a signal handler; again, too. A stop that comes before start or run ends it as soon
 * as it listens. No errors but NULL. */
SBX_API sbx_error sbx_engine_stop(sbx_engine* engine);

/* Waits for the thread of sbx_engine_start to end; at once when there is none. SBX_E_STATE inside a
 * callback of this engine. */
SBX_API sbx_error sbx_engine_join(sbx_engine* engine);

/* The port the engine listens on, also when the option listen.port is 0; 0 while it does not
 * listen, and for NULL. Any thread. */
SBX_API uint16_t sbx_engine_port(const sbx_engine* engine);

/* Stops the engine if need be, waits for its own thread and frees it. NULL is allowed. SBX_E_STATE,
 * and nothing is freed, inside a callback of this engine and while another thread is in
 * sbx_engine_run. */
SBX_API sbx_error sbx_engine_destroy(sbx_engine* engine);

#ifdef __cplusplus
}
#endif

#endif
