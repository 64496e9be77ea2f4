/* What the tests of the C ABI share: configurations, and a client that is nothing but a socket. */
#ifndef SIGNALBOX_TESTS_CAPI_HOST_H
#define SIGNALBOX_TESTS_CAPI_HOST_H

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "signalbox.h"

/* Fails unless a call succeeds, and says why it did not. */
#define assert_ok(call)                                         \
  do {                                                          \
    const sbx_error code_ = (call);                             \
    if (code_ != SBX_OK) print_error("%s\n", sbx_last_error()); \
    assert_int_equal(code_, SBX_OK);                            \
  } while (0)

/* Fails unless a call fails with `error` and tells of `word`. */
#define assert_refused(call, error, word)                               \
  do {                                                                  \
    assert_int_equal((call), (error));                                  \
    if (strstr(sbx_last_error(), (word)) == NULL) {                     \
      print_error("'%s' does not name %s\n", sbx_last_error(), (word)); \
      fail();                                                           \
    }                                                                   \
  } while (0)

/* A configuration for an engine without Redis on 127.0.0.1. */
static inline sbx_config* local_config(const char* port) {
  sbx_config* config = sbx_config_new();
  assert_non_null(config);
  assert_ok(sbx_config_set(config, "listen.host", "127.0.0.1"));
  assert_ok(sbx_config_set(config, "listen.port", port));
  assert_ok(sbx_config_set(config, "signaling.enabled", "false"));
  return config;
}

static inline sbx_engine* local_engine(const sbx_callbacks* callbacks) {
  sbx_config* config = local_config("0");
  sbx_engine* engine = NULL;
  assert_ok(sbx_engine_create(config, callbacks, &engine));
  sbx_config_free(config);
  return engine;
}

/* A connection to 127.0.0.1 that gives up reading after ten seconds; -1 when it is refused. */
static inline int dial(uint16_t port) {
  const struct timeval patience = {.tv_sec = 10, .tv_usec = 0};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

/* A request that has its answer's end as the connection's. */
static const char kRequest[] = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/* Sends text; nothing when the peer has gone. */
static inline void say(int fd, const char* text) {
  (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Reads to the end of the connection, as text. */
static inline void hear(int fd, char* text, size_t size) {
  size_t length = 0;
  while (length < size - 1) {
    const ssize_t got = recv(fd, text + length, size - 1 - length, 0);
    if (got <= 0) break;
    length += (size_t)got;
  }
  text[length] = '\0';
}

/* One request of an Engine.IO client on polling, of the session `sid` ("": a new one). What is
 * answered, head and all, goes to `answer`; "" when there is no server. */
static inline void polling(uint16_t port, const char* sid, const char* body, char* answer,
                           size_t size) {
  char request[512];
  const int fd = dial(port);
  *answer = '\0';
  if (fd < 0) return;
  snprintf(request, sizeof request,
           "%s /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: a\r\n"
           "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
           body != NULL ? "POST" : "GET", *sid != '\0' ? "&sid=" : "", sid,
           body != NULL ? strlen(body) : 0, body != NULL ? body : "");
  say(fd, request);
  hear(fd, answer, size);
  close(fd);
}

/* The text of "sid" in an answer. */
static inline void read_sid(const char* answer, char* sid, size_t size) {
  const char* found = strstr(answer, "\"sid\":\"");
  *sid = '\0';
  if (found != NULL) snprintf(sid, size, "%.*s", (int)strcspn(found + 7, "\""), found + 7);
}

/* Opens a session and connects to "/": its secret id and the public id of its socket, "" when the
 * server does not let it. */
static inline void connect_socket(uint16_t port, char session[64], char socket_id[64]) {
  char answer[2048];
  *socket_id = '\0';
  polling(port, "", NULL, answer, sizeof answer);
  read_sid(answer, session, 64);
  if (*session == '\0') return;
  polling(port, session, "40", answer, sizeof answer);
  polling(port, session, NULL, answer, sizeof answer);
  read_sid(answer, socket_id, 64);
}

/* How many entries a directory of /proc/self has: "task" or "fd". */
static inline int count_of(const char* what) {
  char path[64];
  int count = 0;
  snprintf(path, sizeof path, "/proc/self/%s", what);
  DIR* directory = opendir(path);
  assert_non_null(directory);
  while (readdir(directory) != NULL) ++count;
  closedir(directory);
  return count;
}

#endif
