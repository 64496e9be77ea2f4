/* What each function refuses, and how it says so: before the engine serves, while it does, and when
 * it has ended. */
#include "tests/capi/host.h"

static const char kSocket[] = "AAAAAAAAAAAAAAAAAAAA";
static const char kLatin1[] = "caf\xe9";

static sbx_engine* engine;

static void on_event(void* user, const sbx_event* event) {
  (void)user;
  (void)event;
}

static void on_answer(void* user, const sbx_answer* answer) {
  (void)answer;
  ++*(int*)user;
}

static void on_http(void* user, const sbx_http_request* request) {
  (void)user;
  (void)request;
}

static void on_call(void* user) {
  ++*(int*)user;
}

static void on_release(void* data) {
  ++*(int*)data;
}

/* Each command once, as it should be called. */
static sbx_error command(int which) {
  static int ignored;
  switch (which) {
    case 0:
      return sbx_emit(engine, kSocket, "e", "[1]", NULL, 0);
    case 1:
      return sbx_emit_with_ack(engine, kSocket, "e", NULL, NULL, 0, 1, on_answer, &ignored);
    case 2:
      return sbx_broadcast(engine, "/", NULL, NULL, "e", NULL, NULL, 0);
    case 3:
      return sbx_ack(engine, kSocket, 1, NULL, NULL, 0);
    case 4:
      return sbx_accept(engine, 1);
    case 5:
      return sbx_refuse(engine, 1, "m", "{}");
    case 6:
      return sbx_disconnect(engine, kSocket, 1);
    case 7:
      return sbx_join(engine, kSocket, "r");
    case 8:
      return sbx_leave(engine, kSocket, "r");
    case 9:
      return sbx_set_data(engine, kSocket, NULL, NULL);
    case 10:
      return sbx_engine_set(engine, "limits.room_size", "5");
    case 11:
      return sbx_engine_set_log_level(engine, SBX_LOG_INFO);
    case 12:
      return sbx_engine_call(engine, on_call, &ignored);
    default:
      return sbx_http_respond(engine, 1, 200, NULL, 0, NULL, 0);
  }
}
enum { kCommands = 14 };

static int setup(void** state) {
  (void)state;
  engine = local_engine(NULL);
  assert_ok(sbx_engine_start(engine));
  return 0;
}

static int teardown(void** state) {
  (void)state;
  assert_ok(sbx_engine_destroy(engine));
  return 0;
}

static void commands_need_a_serving_engine(void** state) {
  int released = 0;
  int answered = 0;
  (void)state;
  engine = local_engine(NULL);
  for (int i = 0; i < kCommands; ++i) assert_refused(command(i), SBX_E_STATE, "serve");
  assert_ok(sbx_engine_start(engine));
  for (int i = 0; i < kCommands; ++i) assert_ok(command(i));
  assert_ok(sbx_engine_stop(engine));
  assert_ok(sbx_engine_join(engine));
  for (int i = 0; i < kCommands; ++i) assert_refused(command(i), SBX_E_STATE, "serve");
  /* Nobody is called back by what has failed. */
  assert_int_equal(sbx_set_data(engine, kSocket, &released, on_release), SBX_E_STATE);
  assert_int_equal(sbx_emit_with_ack(engine, kSocket, "e", NULL, NULL, 0, 1, on_answer, &answered),
                   SBX_E_STATE);
  assert_refused(sbx_engine_add_namespace(engine, "/n", NULL), SBX_E_STATE, "ended");
  assert_refused(sbx_engine_on(engine, "/", "e", on_event, NULL), SBX_E_STATE, "ended");
  assert_refused(sbx_engine_mount(engine, "/m", on_http, NULL), SBX_E_STATE, "ended");
  assert_ok(sbx_engine_destroy(engine));
  assert_int_equal(released, 0);
  assert_int_equal(answered, 0);
}

static void arguments_come_before_the_state(void** state) {
  (void)state;
  engine = local_engine(NULL);
  assert_refused(sbx_emit(engine, NULL, "e", NULL, NULL, 0), SBX_E_INVALID, "socket");
  assert_refused(sbx_join(engine, kSocket, ""), SBX_E_INVALID, "room");
  assert_ok(sbx_engine_destroy(engine));
}

static void null_engines_are_refused(void** state) {
  sbx_engine* const kept = engine;
  (void)state;
  engine = NULL;
  for (int i = 0; i < kCommands; ++i) assert_refused(command(i), SBX_E_INVALID, "engine");
  engine = kept;
  assert_refused(sbx_broadcast_to_peers(NULL, "r", NULL, "e", NULL, NULL, 0), SBX_E_INVALID,
                 "engine");
  assert_refused(sbx_engine_add_namespace(NULL, "/", NULL), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_on(NULL, "/", "e", on_event, NULL), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_mount(NULL, "/", on_http, NULL), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_open(NULL), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_run_once(NULL, 0), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_attach(NULL, NULL), SBX_E_INVALID, "engine");
  assert_refused(sbx_engine_attach(engine, NULL), SBX_E_INVALID, "loop");
  assert_int_equal(sbx_engine_poll_fd(NULL), -1);
  assert_int_equal(sbx_engine_poll_timeout(NULL), -1);
}

static void null_arguments_are_named(void** state) {
  int answered = 0;
  (void)state;
  assert_refused(sbx_engine_add_namespace(engine, NULL, NULL), SBX_E_INVALID, "name");
  assert_refused(sbx_engine_on(engine, NULL, "e", on_event, NULL), SBX_E_INVALID, "nsp");
  assert_refused(sbx_engine_on(engine, "/", NULL, on_event, NULL), SBX_E_INVALID, "event");
  assert_refused(sbx_engine_mount(engine, NULL, on_http, NULL), SBX_E_INVALID, "prefix");
  assert_refused(sbx_emit(engine, NULL, "e", NULL, NULL, 0), SBX_E_INVALID, "socket");
  assert_refused(sbx_emit(engine, kSocket, NULL, NULL, NULL, 0), SBX_E_INVALID, "event");
  assert_refused(sbx_emit(engine, kSocket, "e", NULL, NULL, 1), SBX_E_INVALID, "attachments");
  assert_refused(sbx_emit_with_ack(engine, NULL, "e", NULL, NULL, 0, 1, on_answer, &answered),
                 SBX_E_INVALID, "socket");
  assert_refused(sbx_emit_with_ack(engine, kSocket, NULL, NULL, NULL, 0, 1, on_answer, &answered),
                 SBX_E_INVALID, "event");
  assert_refused(sbx_emit_with_ack(engine, kSocket, "e", NULL, NULL, 0, 1, NULL, NULL),
                 SBX_E_INVALID, "handler");
  assert_refused(sbx_broadcast(engine, NULL, NULL, NULL, "e", NULL, NULL, 0), SBX_E_INVALID, "nsp");
  assert_refused(sbx_broadcast(engine, "/", NULL, NULL, NULL, NULL, NULL, 0), SBX_E_INVALID,
                 "event");
  assert_refused(sbx_broadcast_to_peers(engine, NULL, NULL, "e", NULL, NULL, 0), SBX_E_INVALID,
                 "room");
  assert_refused(sbx_ack(engine, NULL, 1, NULL, NULL, 0), SBX_E_INVALID, "socket");
  assert_refused(sbx_ack(engine, kSocket, 1, NULL, NULL, 2), SBX_E_INVALID, "attachments");
  assert_refused(sbx_refuse(engine, 1, NULL, NULL), SBX_E_INVALID, "message");
  assert_refused(sbx_disconnect(engine, NULL, 0), SBX_E_INVALID, "socket");
  assert_refused(sbx_join(engine, NULL, "r"), SBX_E_INVALID, "socket");
  assert_refused(sbx_join(engine, kSocket, NULL), SBX_E_INVALID, "room");
  assert_refused(sbx_leave(engine, NULL, "r"), SBX_E_INVALID, "socket");
  assert_refused(sbx_leave(engine, kSocket, NULL), SBX_E_INVALID, "room");
  assert_refused(sbx_set_data(engine, NULL, NULL, NULL), SBX_E_INVALID, "socket");
  assert_refused(sbx_http_respond(engine, 1, 200, NULL, 1, NULL, 0), SBX_E_INVALID, "headers");
  assert_refused(sbx_http_respond(engine, 1, 200, NULL, 0, NULL, 1), SBX_E_INVALID, "body");
  assert_int_equal(answered, 0);
}

static void names_of_namespaces(void** state) {
  char longest[130];
  (void)state;
  memset(longest, 'a', sizeof longest);
  longest[0] = '/';
  longest[129] = '\0';
  const char* const refused[] = {"",     "a",         "a/",    "/a,b",   "/a?b",
                                 "/a\n", "/\xc3\x28", longest, "//\x7f", kLatin1};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    assert_refused(sbx_engine_add_namespace(engine, refused[i], NULL), SBX_E_INVALID, "name");
    assert_refused(sbx_engine_on(engine, refused[i], "e", on_event, NULL), SBX_E_INVALID,
                   "namespace");
    assert_refused(sbx_broadcast(engine, refused[i], NULL, NULL, "e", NULL, NULL, 0), SBX_E_INVALID,
                   "namespace");
  }
  longest[128] = '\0';
  assert_ok(sbx_engine_add_namespace(engine, longest, NULL));
  assert_ok(sbx_engine_add_namespace(engine, "/d\xc3\xa9j\xc3\xa0/vu", NULL));
  assert_ok(sbx_engine_add_namespace(engine, "/", NULL));
}

static void sizes_of_structs(void** state) {
  sbx_namespace handlers;
  sbx_callbacks callbacks;
  sbx_config* config = local_config("0");
  sbx_engine* untouched = engine;
  struct {
    sbx_callbacks known;
    void* later;
  } longer;
  (void)state;
  memset(&handlers, 0, sizeof handlers);
  assert_refused(sbx_engine_add_namespace(engine, "/s", &handlers), SBX_E_INVALID, "size");
  handlers.size = sizeof handlers - 1;
  assert_refused(sbx_engine_add_namespace(engine, "/s", &handlers), SBX_E_INVALID, "handlers");
  handlers.size = sizeof handlers + 8;
  assert_ok(sbx_engine_add_namespace(engine, "/s", &handlers));
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.size = sizeof callbacks - 1;
  assert_refused(sbx_engine_create(config, &callbacks, &untouched), SBX_E_INVALID, "callbacks");
  assert_ptr_equal(untouched, engine);
  memset(&longer, 0, sizeof longer);
  longer.known.size = sizeof longer;
  assert_ok(sbx_engine_create(config, &longer.known, &untouched));
  assert_ok(sbx_engine_destroy(untouched));
  sbx_config_free(config);
}

static void reserved_events(void** state) {
  static const char* const reserved[] = {"connect",       "connect_error", "disconnect",
                                         "disconnecting", "newListener",   "removeListener"};
  int ignored = 0;
  (void)state;
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; ++i) {
    const char* const name = reserved[i];
    assert_refused(sbx_engine_on(engine, "/", name, on_event, NULL), SBX_E_INVALID, name);
    assert_refused(sbx_emit(engine, kSocket, name, NULL, NULL, 0), SBX_E_INVALID, name);
    assert_refused(sbx_emit_with_ack(engine, kSocket, name, NULL, NULL, 0, 1, on_answer, &ignored),
                   SBX_E_INVALID, name);
    assert_refused(sbx_broadcast(engine, "/", NULL, NULL, name, NULL, NULL, 0), SBX_E_INVALID,
                   name);
  }
  assert_refused(sbx_emit(engine, kSocket, kLatin1, NULL, NULL, 0), SBX_E_INVALID, "event");
  assert_refused(sbx_engine_on(engine, "/", kLatin1, on_event, NULL), SBX_E_INVALID, "event");
  assert_ok(sbx_emit(engine, kSocket, "", NULL, NULL, 0));
}

static void arguments_are_a_json_array(void** state) {
  static const char* const refused[] = {"",       "{}",    "1",     "[",    "[1,]", "[] []",
                                        "[\x01]", "[nul]", "['a']", "null", "[01]", "[\"\xe9\"]"};
  static const char* const accepted[] = {"[]", " [ ] ", "\n[1,\"a\",{\"b\":[null]}]\t"};
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    assert_refused(sbx_emit(engine, kSocket, "e", refused[i], NULL, 0), SBX_E_INVALID, "args");
    assert_refused(sbx_broadcast(engine, "/", NULL, NULL, "e", refused[i], NULL, 0), SBX_E_INVALID,
                   "args");
    assert_refused(sbx_ack(engine, kSocket, 1, refused[i], NULL, 0), SBX_E_INVALID, "args");
  }
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; ++i) {
    assert_ok(sbx_emit(engine, kSocket, "e", accepted[i], NULL, 0));
    assert_ok(sbx_ack(engine, kSocket, 1, accepted[i], NULL, 0));
  }
}

static void attachments_have_their_places(void** state) {
  const sbx_bytes two[] = {{"ab", 2}, {NULL, 0}};
  const sbx_bytes lacking[] = {{"ab", 2}, {NULL, 1}};
  static const char* const refused[] = {
      "[]", "[{\"_placeholder\":true,\"num\":0}]",
      "[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":2}]",
      "[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":-1}]"};
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    assert_refused(sbx_emit(engine, kSocket, "e", refused[i], two, 2), SBX_E_INVALID,
                   "attachments");
    assert_refused(sbx_ack(engine, kSocket, 1, refused[i], two, 2), SBX_E_INVALID, "attachments");
  }
  assert_refused(sbx_emit(engine, kSocket, "e", refused[0], lacking, 2), SBX_E_INVALID,
                 "attachments[1].data");
  assert_ok(sbx_emit(engine, kSocket, "e",
                     "[{\"_placeholder\":true,\"num\":1},[{\"_placeholder\":true,\"num\":0}]]", two,
                     2));
}

static void numbers_have_their_bounds(void** state) {
  int answered = 0;
  (void)state;
  assert_refused(sbx_emit_with_ack(engine, kSocket, "e", NULL, NULL, 0, 0, on_answer, &answered),
                 SBX_E_INVALID, "timeout_ms");
  assert_refused(
      sbx_emit_with_ack(engine, kSocket, "e", NULL, NULL, 0, 86400001, on_answer, &answered),
      SBX_E_INVALID, "timeout_ms");
  assert_refused(sbx_ack(engine, kSocket, 0, NULL, NULL, 0), SBX_E_INVALID, "ack");
  assert_refused(sbx_engine_run_once(engine, -2), SBX_E_INVALID, "timeout_ms");
  static const int statuses[] = {-1, 0, 100, 101, 199, 600, 1000};
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; ++i) {
    assert_refused(sbx_http_respond(engine, 1, statuses[i], NULL, 0, NULL, 0), SBX_E_INVALID,
                   "status");
  }
  assert_ok(sbx_http_respond(engine, 1, 599, NULL, 0, "", 0));
  assert_int_equal(answered, 0);
}

static void names_of_rooms(void** state) {
  char longest[258];
  (void)state;
  memset(longest, 'r', sizeof longest);
  longest[257] = '\0';
  const char* const refused[] = {"", longest, kLatin1};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    assert_refused(sbx_join(engine, kSocket, refused[i]), SBX_E_INVALID, "room");
    assert_refused(sbx_leave(engine, kSocket, refused[i]), SBX_E_INVALID, "room");
    assert_refused(sbx_broadcast(engine, "/", refused[i], NULL, "e", NULL, NULL, 0), SBX_E_INVALID,
                   "room");
  }
  longest[256] = '\0';
  assert_ok(sbx_join(engine, kSocket, longest));
}

static void refusals_are_text_and_json(void** state) {
  static const char* const refused[] = {"", "{", "nope", "1 2", "{\"a\":\xe9}"};
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    assert_refused(sbx_refuse(engine, 1, "m", refused[i]), SBX_E_INVALID, "data");
  }
  assert_refused(sbx_refuse(engine, 1, kLatin1, NULL), SBX_E_INVALID, "message");
  assert_ok(sbx_refuse(engine, 1, "", "\"text\""));
}

static void prefixes_of_mounts(void** state) {
  static const char* const refused[] = {"", "a", "/a/", "//", "a/", "/caf\xe9"};
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    assert_refused(sbx_engine_mount(engine, refused[i], on_http, NULL), SBX_E_INVALID, "path");
  }
  assert_ok(sbx_engine_mount(engine, "/", on_http, NULL));
  assert_ok(sbx_engine_mount(engine, "/a/b", on_http, NULL));
  assert_ok(sbx_engine_mount(engine, "/a/b", NULL, NULL));
}

static void headers_of_answers(void** state) {
  const sbx_pair unnamed = {NULL, "v"};
  const sbx_pair empty = {"X-Second", NULL};
  const sbx_pair headers[] = {{"X-First", "v"}, {"X-Bad", "a\nb"}};
  (void)state;
  assert_refused(sbx_http_respond(engine, 1, 200, &unnamed, 1, NULL, 0), SBX_E_INVALID,
                 "headers[0]");
  assert_refused(sbx_http_respond(engine, 1, 200, &empty, 1, NULL, 0), SBX_E_INVALID, "headers[0]");
  assert_refused(sbx_http_respond(engine, 1, 200, headers, 2, NULL, 0), SBX_E_INVALID, "X-Bad");
}

static void peers_need_the_room_application(void** state) {
  (void)state;
  assert_refused(sbx_broadcast_to_peers(engine, "r", NULL, "e", NULL, NULL, 0), SBX_E_STATE,
                 "signaling.enabled");
}

static void release_is_called_once_for_a_socket_that_is_not_there(void** state) {
  int released = 0;
  int answered = 0;
  (void)state;
  engine = local_engine(NULL);
  assert_ok(sbx_engine_start(engine));
  for (int i = 0; i < 100; ++i) {
    assert_ok(sbx_set_data(engine, kSocket, &released, on_release));
    assert_ok(sbx_emit_with_ack(engine, kSocket, "e", NULL, NULL, 0, 60000, on_answer, &answered));
  }
  assert_ok(sbx_engine_destroy(engine));
  assert_int_equal(released, 100);
  assert_int_equal(answered, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(commands_need_a_serving_engine),
      cmocka_unit_test(arguments_come_before_the_state),
      cmocka_unit_test(release_is_called_once_for_a_socket_that_is_not_there),
      cmocka_unit_test_setup_teardown(null_engines_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(null_arguments_are_named, setup, teardown),
      cmocka_unit_test_setup_teardown(names_of_namespaces, setup, teardown),
      cmocka_unit_test_setup_teardown(sizes_of_structs, setup, teardown),
      cmocka_unit_test_setup_teardown(reserved_events, setup, teardown),
      cmocka_unit_test_setup_teardown(arguments_are_a_json_array, setup, teardown),
      cmocka_unit_test_setup_teardown(attachments_have_their_places, setup, teardown),
      cmocka_unit_test_setup_teardown(numbers_have_their_bounds, setup, teardown),
      cmocka_unit_test_setup_teardown(names_of_rooms, setup, teardown),
      cmocka_unit_test_setup_teardown(refusals_are_text_and_json, setup, teardown),
      cmocka_unit_test_setup_teardown(prefixes_of_mounts, setup, teardown),
      cmocka_unit_test_setup_teardown(headers_of_answers, setup, teardown),
      cmocka_unit_test_setup_teardown(peers_need_the_room_application, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
