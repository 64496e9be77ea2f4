// Options of Redis that do not fit together.
#include "engine/store/redis_options.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "engine/store/redis_tls.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::ErrorCode;
using signalbox::Options;
using signalbox::Status;
using signalbox::store::RedisTls;
using signalbox::store::validate_redis_options;

using Settings = std::initializer_list<std::pair<const char*, const char*>>;

Status judge(const Settings& settings) {
  Options options;
  for (const auto& [name, value] : settings) {
    assert_true(signalbox::set_option(options, name, value).ok());
  }
  return validate_redis_options(options);
}

// `told` must be in the text of the refusal.
void assert_refused(const Settings& settings, const std::string& told) {
  const Status status = judge(settings);
  if (status.text().find(told) == std::string::npos) {
    print_error("'%s' is not in '%s'\n", told.c_str(), status.text().c_str());
  }
  assert_true(status.code() == ErrorCode::kInvalid);
  assert_true(status.text().find(told) != std::string::npos);
}

void accepts_what_fits(void**) {
  assert_true(judge({}).ok());
  assert_true(judge({{"redis.url", "unix:///run/redis.sock"}}).ok());
  assert_true(judge({{"redis.url", "redis://:word@ignored/3"},
                     {"redis.sentinels", "s1, s2:1, 10.0.0.1, [::1], [::1]:2"},
                     {"redis.master_name", "mymaster"},
                     {"redis.sentinel_password", "word"}})
                  .ok());
  const Status tls = judge({{"redis.url", "rediss://h"}});
  assert_int_equal(tls.ok(), RedisTls::kBuilt);
}

void sentinels_need_a_name_and_a_network(void**) {
  assert_refused({{"redis.sentinels", "s1"}}, "option redis.sentinels: needs redis.master_name");
  assert_refused({{"redis.master_name", "m"}}, "option redis.master_name: is of no use without");
  assert_refused({{"redis.sentinel_password", "hidden"}}, "option redis.sentinel_password: ");
  assert_refused({{"redis.sentinels", "s1"},
                  {"redis.master_name", "m"},
                  {"redis.url", "unix:///run/redis.sock"}},
                 "option redis.sentinels: does not go with");
  for (const char* address :
       {"h:", "h:0", "h:65536", ":1", "::1", "[::1", "[::1]1", "h/0", "a@h"}) {
    assert_refused({{"redis.sentinels", address}, {"redis.master_name", "m"}},
                   "option redis.sentinels: '" + std::string(address) + "' is not allowed");
  }
}

void files_of_tls_need_tls(void**) {
  for (const char* option : {"redis.tls_ca", "redis.tls_cert", "redis.tls_key"}) {
    assert_refused({{option, "/etc/x.pem"}},
                   std::string("option ") + option + ": is of no use without");
  }
  if (!RedisTls::kBuilt) return;
  assert_refused({{"redis.url", "rediss://h"}, {"redis.tls_cert", "/x"}},
                 "option redis.tls_cert: needs redis.tls_key");
  assert_refused({{"redis.url", "rediss://h"}, {"redis.tls_key", "/x"}},
                 "option redis.tls_key: is of no use without redis.tls_cert");
  assert_refused({{"redis.url", "rediss://h"}, {"redis.tls_ca", "/nonexistent.pem"}},
                 "option redis.tls_ca: '/nonexistent.pem' is not allowed; ");
  assert_refused({{"redis.url", "rediss://h"},
                  {"redis.tls_cert", "/nonexistent.pem"},
                  {"redis.tls_key", "/nonexistent.pem"}},
                 "option redis.tls_cert: '/nonexistent.pem' is not allowed; ");
}

void an_url_is_refused_by_name_and_value(void**) {
  assert_refused({{"redis.url", "http://h"}}, "option redis.url: 'http://h' is not allowed; ");
}

void never_repeats_the_password(void**) {
  for (const char* url :
       {"redis://hidden@h", "redis://user:@hidden:x", "redis://:hidden%@h", "redis://:hidden@",
        "redis://:hidden@h:x", "redis://:hidden@h/x", "rediss://:hidden@h:x",
        "unix://u:hidden@/path", "redis:/user:hidden@h", "user:hidden@h", "user:hidden@h://"}) {
    const Status status = judge({{"redis.url", url}});
    assert_false(status.ok());
    assert_true(status.text().find("hidden") == std::string::npos);
  }
  assert_true(judge({{"redis.sentinel_password", "hidden"}}).text().find("hidden") ==
              std::string::npos);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(accepts_what_fits),
      cmocka_unit_test(sentinels_need_a_name_and_a_network),
      cmocka_unit_test(files_of_tls_need_tls),
      cmocka_unit_test(an_url_is_refused_by_name_and_value),
      cmocka_unit_test(never_repeats_the_password),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
