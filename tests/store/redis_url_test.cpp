#include "engine/store/redis_url.h"

#include <string>

#include "engine/store/redis_tls.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::ErrorCode;
using signalbox::Status;
using signalbox::store::parse_redis_url;
using signalbox::store::RedisTls;
using signalbox::store::RedisUrl;

struct Good {
  const char* text;
  bool is_unix;
  const char* host;
  int port;
  const char* user;
  const char* password;
  int db;
};

const Good kGood[] = {
    {"redis://127.0.0.1", false, "127.0.0.1", 6379, "", "", 0},
    {"redis://127.0.0.1/", false, "127.0.0.1", 6379, "", "", 0},
    {"redis://redis.example:7000/15", false, "redis.example", 7000, "", "", 15},
    {"redis://[::1]", false, "::1", 6379, "", "", 0},
    {"redis://[fe80::1%eth0]:1/2", false, "fe80::1%eth0", 1, "", "", 2},
    {"redis://:secret@h", false, "h", 6379, "", "secret", 0},
    {"redis://me:se%3acr%2Fet@h:1", false, "h", 1, "me", "se:cr/et", 0},
    {"redis://me:a@b:c@h:65535", false, "h", 65535, "me", "a@b:c", 0},
    {"unix:///run/redis.sock", true, "/run/redis.sock", 0, "", "", 0},
    {"unix:///a%20b?db=3", true, "/a b", 0, "", "", 3},
};

void reads_what_is_documented(void**) {
  for (const Good& good : kGood) {
    RedisUrl url;
    const Status status = parse_redis_url(good.text, url);
    if (!status.ok()) print_error("%s: %s\n", good.text, status.text().c_str());
    assert_true(status.ok());
    assert_int_equal(url.is_unix, good.is_unix);
    assert_string_equal(url.host.c_str(), good.host);
    assert_int_equal(url.port, good.port);
    assert_string_equal(url.user.c_str(), good.user);
    assert_string_equal(url.password.c_str(), good.password);
    assert_int_equal(url.db, good.db);
  }
}

void keeps_a_nul_in_the_password(void**) {
  RedisUrl url;
  assert_true(parse_redis_url("redis://:a%00b@h", url).ok());
  assert_true(url.password == std::string("a\0b", 3));
}

void refuses_the_rest(void**) {
  const std::string long_path = "unix:///" + std::string(120, 'x');
  const std::string long_host = "redis://" + std::string(256, 'x');
  const char* bad[] = {"",
                       "127.0.0.1",
                       "http://h",
                       "redis://",
                       "redis://:6379",
                       "redis://h:",
                       "redis://h:0",
                       "redis://h:65536",
                       "redis://h:-1",
                       "redis://h:6379x",
                       "redis://::1",
                       "redis://[::1",
                       "redis://[::1]6379",
                       "redis://[]",
                       "redis://h#",
                       "redis://h/x",
                       "redis://h/-1",
                       "redis://h/1000001",
                       "redis://h/99999999999999999999",
                       "redis://h?db=1",
                       "redis://h/1?x=1",
                       "redis://h ost",
                       "redis://h\n",
                       "unix://relative",
                       "unix://",
                       "unix:///a%0",
                       "unix:///a%00b",
                       "unix:///a%zz",
                       "unix:///a?db=",
                       "unix:///a?password=hidden",
                       long_path.c_str(),
                       long_host.c_str()};
  for (const char* text : bad) {
    RedisUrl url;
    const Status status = parse_redis_url(text, url);
    if (status.ok()) print_error("accepted: %s\n", text);
    assert_true(status.code() == ErrorCode::kInvalid);
    assert_false(status.text().empty());
  }
}

void knows_tls_or_says_why_not(void**) {
  RedisUrl url;
  const Status status = parse_redis_url("rediss://me:secret@h/3", url);
  assert_int_equal(status.ok(), RedisTls::kBuilt);
  if (!RedisTls::kBuilt) {
    assert_true(status.text().find("TLS") != std::string::npos);
    return;
  }
  assert_true(url.tls);
  assert_string_equal(url.host.c_str(), "h");
  assert_int_equal(url.port, 6379);
  assert_string_equal(url.password.c_str(), "secret");
  assert_int_equal(url.db, 3);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_is_documented),
      cmocka_unit_test(keeps_a_nul_in_the_password),
      cmocka_unit_test(refuses_the_rest),
      cmocka_unit_test(knows_tls_or_says_why_not),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
