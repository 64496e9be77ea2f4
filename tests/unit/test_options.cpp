#include "engine/core/options.h"

#include "tests/unit/unit_test.h"

using namespace signalbox;

namespace {

const OptionInfo* row(std::string_view name) {
  for (const OptionInfo& info : option_table()) {
    if (name == info.name) return &info;
  }
  return nullptr;
}

std::string error_of(std::string_view name, std::string_view value) {
  Options options;
  const Status status = set_option(options, name, value);
  assert_true(status.code() == ErrorCode::kInvalid);
  return status.text();
}

bool accepts(std::string_view name, std::string_view value) {
  Options options;
  return set_option(options, name, value).ok();
}

void the_table_holds_every_option(void**) {
  std::string names;
  for (const OptionInfo& info : option_table()) {
    names += std::string(info.name) + " ";
    assert_for(info.name, info.doc != nullptr && *info.doc != '\0');
    assert_for(info.name, std::string_view(info.doc).find('\n') == std::string_view::npos);
  }
  assert_text_equal(
      names,
      "listen.host listen.port listen.fd http.max_body http.max_header http.request_timeout "
      "http.keep_alive "
      "http.headers http.max_headers cors.origins proxy.trusted proxy.protocol tls.cert tls.key "
      "tls.min_version socketio.enabled socketio.path "
      "socketio.connect_timeout "
      "socketio.max_attachments "
      "engineio.ping_interval engineio.ping_timeout engineio.upgrade_timeout engineio.max_payload "
      "engineio.max_buffered engineio.max_buffered_total signaling.enabled decision.timeout "
      "auth.jwt_hs256_key auth.jwt_rs256_key turn.urls turn.secret turn.ttl limits.connections "
      "limits.room_size "
      "limits.join_enabled limits.join_count limits.join_window "
      "limits.connections_per_ip limits.handshakes limits.create_count "
      "limits.create_window limits.check_count limits.check_window limits.guess_count "
      "limits.guess_window limits.track_count limits.track_window limits.ice_count "
      "limits.ice_window limits.connect_count "
      "limits.connect_window limits.referrers limits.packet_count limits.packet_window rooms.ttl "
      "rooms.empty_ttl "
      "redis.url redis.sentinels redis.master_name redis.sentinel_password redis.tls_ca "
      "redis.tls_cert redis.tls_key redis.cluster "
      "redis.connect_timeout redis.command_timeout redis.max_pending node.ttl node.max_buffered "
      "environment "
      "shutdown.drain shutdown.timeout ");
}

void a_row_tells_type_range_unit_and_default(void**) {
  const OptionInfo* port = row("listen.port");
  assert_true(port->type == OptionType::kInteger);
  assert_int_equal(port->minimum, 0);
  assert_int_equal(port->maximum, 65535);
  assert_text_equal(port->default_value, "3001");
  assert_text_equal(row("rooms.ttl")->unit, "s");
  assert_text_equal(row("engineio.ping_interval")->unit, "ms");
  assert_text_equal(row("http.max_body")->unit, "bytes");
  assert_text_equal(row("proxy.trusted")->default_value, "127.0.0.0/8,::1/128");
  assert_true(row("proxy.trusted")->type == OptionType::kList);
  assert_text_equal(row("cors.origins")->default_value, "");
  assert_text_equal(row("limits.join_enabled")->default_value, "true");
  assert_true(row("limits.join_enabled")->type == OptionType::kBoolean);
  assert_true(row("redis.url")->type == OptionType::kString);
}

// Hosts show options, and must know which not to.
void what_is_called_a_secret_is_marked_as_one(void**) {
  for (const OptionInfo& info : option_table()) {
    const std::string_view name = info.name;
    const bool called = name.find("secret") != name.npos || name.find("password") != name.npos;
    assert_for(info.name, info.secret || !called);
  }
  assert_true(row("redis.url")->secret && row("auth.jwt_hs256_key")->secret);
  assert_false(row("auth.jwt_rs256_key")->secret || row("tls.key")->secret);
}

void a_serving_engine_takes_what_is_live(void**) {
  size_t live = 0;
  for (const OptionInfo& info : option_table()) {
    live += info.live ? 1 : 0;
    const Status status = check_live_option(info.name, info.default_value);
    assert_for(info.name, status.ok() == info.live);
    assert_for(info.name, info.live || (status.code() == ErrorCode::kInvalid &&
                                        status.text() == "option " + std::string(info.name) +
                                                             " cannot change while the engine "
                                                             "serves"));
  }
  assert_true(live > 10 && live < option_table().size());
  assert_true(row("limits.room_size")->live && row("cors.origins")->live);
  assert_false(row("listen.port")->live || row("redis.url")->live);
  assert_true(check_live_option("limits.room_size", "0").code() == ErrorCode::kInvalid);
  assert_text_equal(check_live_option("limits.room_sise", "1").text(),
                    "unknown option 'limits.room_sise' (did you mean limits.room_size?)");
}

void every_default_is_allowed(void**) {
  for (const OptionInfo& info : option_table()) {
    assert_for(info.name, accepts(info.name, info.default_value));
  }
}

void every_integer_keeps_to_its_range(void**) {
  for (const OptionInfo& info : option_table()) {
    if (info.type != OptionType::kInteger) continue;
    assert_for(info.name, info.minimum < info.maximum);
    assert_for(info.name, accepts(info.name, std::to_string(info.minimum)));
    assert_for(info.name, accepts(info.name, std::to_string(info.maximum)));
    assert_for(info.name, !accepts(info.name, std::to_string(info.minimum - 1)));
    assert_for(info.name, !accepts(info.name, std::to_string(info.maximum + 1)));
  }
}

void sets_what_is_named(void**) {
  Options options;
  assert_true(set_option(options, "listen.host", "127.0.0.1").ok());
  assert_true(set_option(options, "listen.port", "0").ok());
  assert_true(set_option(options, "limits.room_size", "5").ok());
  assert_true(set_option(options, "environment", "test").ok());
  assert_text_equal(options.listen_host, "127.0.0.1");
  assert_int_equal(options.listen_port, 0);
  assert_int_equal(options.limits_room_size, 5);
  assert_int_equal(options.limits_connections, Options().limits_connections);
  assert_text_equal(options.environment, "test");
}

void booleans_have_eight_spellings(void**) {
  for (const char* value : {"true", "1", "yes", "on"}) {
    Options options;
    options.limits_join_enabled = false;
    assert_true(set_option(options, "limits.join_enabled", value).ok());
    assert_true(options.limits_join_enabled);
  }
  for (const char* value : {"false", "0", "no", "off"}) {
    Options options;
    assert_true(set_option(options, "limits.join_enabled", value).ok());
    assert_false(options.limits_join_enabled);
  }
  for (const char* value : {"", "2", "TRUE ", "maybe"}) {
    assert_for(value, !accepts("limits.join_enabled", value));
  }
}

void lists_are_split_at_commas(void**) {
  Options options;
  assert_true(set_option(options, "cors.origins", "https://a.example, http://[::1]:3000").ok());
  assert_int_equal(options.cors_origins.size(), 2);
  assert_text_equal(options.cors_origins[0], "https://a.example");
  assert_text_equal(options.cors_origins[1], "http://[::1]:3000");
  assert_true(set_option(options, "proxy.trusted", "").ok());
  assert_true(options.proxy_trusted.empty());
  for (const char* value : {",", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/8,,::1"}) {
    assert_for(value, !accepts("proxy.trusted", value));
  }
}

void origins_look_like_origins(void**) {
  for (const char* value : {"*", "http://localhost", "https://a-b.example.org:8443",
                            "http://127.0.0.1:3000", "capacitor://localhost"}) {
    assert_for(value, accepts("cors.origins", value));
  }
  for (const char* value :
       {"localhost", "http://", "://a", "http//a", "http://a/", "http://a/b", "http://a b",
        "http://a:", "http://a:x", "http://a:123456", "http://u@a", "http://a?b", "http://[::1",
        "h ttp://a", "http://:80", "http://*.a"}) {
    assert_for(value, !accepts("cors.origins", value));
  }
}

void ice_urls_look_as_browsers_take_them(void**) {
  for (const char* value :
       {"", "turn:turn.example", "turn:turn.example:3478?transport=udp", "turns:[2001:db8::1]:443",
        "turns:127.0.0.1:5349?transport=tcp", "stun:a.example, stuns:b.example:5349"}) {
    assert_for(value, accepts("turn.urls", value));
  }
  for (const char* value :
       {"turn.example", "turn:", "turn:?transport=udp", "turn://a.example", "turn:a.example:",
        "turn:a.example:x", "turn:u@a.example", "turn:a b", "turn:a.example?transport=sctp",
        "turn:a.example?", "TURN:a.example", "turnx:a.example", "http:a.example", ":a.example",
        "stun:a.example?transport=udp", "stun:", "turn:\"", "turn:a.example,", "turn:[::1"}) {
    assert_for(value, !accepts("turn.urls", value));
  }
  assert_text_equal(error_of("turn.urls", "https://a.example"),
                    "option turn.urls: 'https://a.example' is not allowed; a comma-separated list "
                    "of stun:host[:port] and turn:host[:port][?transport=udp|tcp], stuns: and "
                    "turns: likewise");
}

void header_names_are_tokens(void**) {
  for (const char* value : {"X-Tenant", "x-a,X_B , !#$%&'*+-.^_`|~", "", "1"}) {
    assert_for(value, accepts("http.headers", value));
  }
  for (const char* value : {"X-Tenant:", "x a", "x\na", "a,", "(x)", ":path", "\xc3\xa9", "a/b"}) {
    assert_for(value, !accepts("http.headers", value));
  }
  assert_text_equal(error_of("http.headers", "a b"),
                    "option http.headers: 'a b' is not allowed; a comma-separated list of header "
                    "names");
}

void the_path_stands_between_slashes(void**) {
  for (const char* value : {"/socket.io/", "/", "/a/b/"}) {
    assert_for(value, accepts("socketio.path", value));
  }
  for (const char* value : {"", "socket.io", "/socket.io", "socket.io/", "/a b/", "/a?/", "/\n/"}) {
    assert_for(value, !accepts("socketio.path", value));
  }
}

void texts_are_not_empty(void**) {
  for (const char* name : {"listen.host", "redis.url", "environment"}) {
    assert_for(name, !accepts(name, ""));
  }
}

void an_error_names_the_option_the_value_and_what_is_allowed(void**) {
  for (const char* value :
       {"abc", "", "-1", "65536", "1.5", "0x10", " 1", "1 ", "+1", "99999999999999999999"}) {
    assert_text_equal(error_of("listen.port", value), std::string("option listen.port: '") + value +
                                                          "' is not allowed; an integer from 0 to "
                                                          "65535");
  }
  assert_text_equal(
      error_of("limits.join_window", "0"),
      "option limits.join_window: '0' is not allowed; an integer from 1 to 86400 (s)");
  assert_text_equal(error_of("limits.join_enabled", "maybe"),
                    "option limits.join_enabled: 'maybe' is not allowed; true or false");
  assert_text_equal(
      error_of("socketio.path", "x"),
      "option socketio.path: 'x' is not allowed; a path that begins and ends with '/'");
}

void an_unknown_name_gets_the_nearest_one(void**) {
  assert_text_equal(error_of("listen.prot", "1"),
                    "unknown option 'listen.prot' (did you mean listen.port?)");
  assert_text_equal(error_of("redis_url", "x"),
                    "unknown option 'redis_url' (did you mean redis.url?)");
  assert_text_equal(
      error_of("engineio.pinginterval", "1"),
      "unknown option 'engineio.pinginterval' (did you mean engineio.ping_interval?)");
  assert_text_equal(error_of("limits.roomm_size", "1"),
                    "unknown option 'limits.roomm_size' (did you mean limits.room_size?)");
  assert_text_equal(error_of("completely.different", "x"), "unknown option 'completely.different'");
  assert_text_equal(error_of("", "x"), "unknown option ''");
  const std::string longest(100000, 'x');
  assert_text_equal(error_of(longest, "x"), "unknown option '" + longest + "'");
}

void a_refused_value_changes_nothing(void**) {
  Options options;
  options.cors_origins = {"http://kept"};
  assert_false(set_option(options, "listen.port", "70000").ok());
  assert_false(set_option(options, "cors.origins", "http://a,nonsense").ok());
  assert_int_equal(options.listen_port, 3001);
  assert_int_equal(options.cors_origins.size(), 1);
  assert_text_equal(options.cors_origins[0], "http://kept");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_table_holds_every_option),
      cmocka_unit_test(a_row_tells_type_range_unit_and_default),
      cmocka_unit_test(what_is_called_a_secret_is_marked_as_one),
      cmocka_unit_test(a_serving_engine_takes_what_is_live),
      cmocka_unit_test(every_default_is_allowed),
      cmocka_unit_test(every_integer_keeps_to_its_range),
      cmocka_unit_test(sets_what_is_named),
      cmocka_unit_test(booleans_have_eight_spellings),
      cmocka_unit_test(lists_are_split_at_commas),
      cmocka_unit_test(origins_look_like_origins),
      cmocka_unit_test(ice_urls_look_as_browsers_take_them),
      cmocka_unit_test(header_names_are_tokens),
      cmocka_unit_test(the_path_stands_between_slashes),
      cmocka_unit_test(texts_are_not_empty),
      cmocka_unit_test(an_error_names_the_option_the_value_and_what_is_allowed),
      cmocka_unit_test(an_unknown_name_gets_the_nearest_one),
      cmocka_unit_test(a_refused_value_changes_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
