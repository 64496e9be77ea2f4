#include "engine/core/options.h"
#include "engine/signaling/ice_servers.h"
#include "tests/unit/unit_test.h"

using signalbox::ErrorCode;
using signalbox::Options;
using signalbox::Status;
using signalbox::signaling::IceServers;
using signalbox::signaling::turn_credentials;

namespace {

struct Example {
  const char* secret;
  int64_t expires_s;
  const char* user;
  const char* username;
  const char* credential;
};

// The last key is longer than a block of SHA-1.
// printf %s "$username" | openssl dgst -sha1 -hmac "$secret" -binary | base64
constexpr Example kExamples[] = {
    {"north of the signal box", 1893456000, "abcDEF-_0123", "1893456000:abcDEF-_0123",
     "kIFilgk++mCjeEUoffubSqUYv90="},
    {"s", 0, "", "0:", "jRsZKz8Y0n/z5GwH3aMlo31rjzA="},
    {"01234567890123456789012345678901234567890123456789012345678901234567890123456789", 4102444800,
     "x", "4102444800:x", "y/rgluWyMceggBp3OyzHV0cPUt4="},
};

void credentials_are_those_of_openssl_dgst(void**) {
  for (const Example& example : kExamples) {
    const auto made = turn_credentials(example.secret, example.expires_s, example.user);
    assert_text_equal(made.username, example.username);
    assert_text_equal(made.credential, example.credential);
  }
}

void turn_needs_a_secret_and_stun_does_not(void**) {
  Options options;
  assert_true(IceServers::validate(options).ok());
  options.turn_urls = {"stun:a.example", "stuns:a.example"};
  assert_true(IceServers::validate(options).ok());
  for (const char* url : {"turn:b.example", "turns:b.example"}) {
    options.turn_urls = {"stun:a.example", url};
    options.turn_secret.clear();
    const Status status = IceServers::validate(options);
    assert_for(url, status.code() == ErrorCode::kInvalid);
    assert_text_equal(status.text(),
                      std::string("option turn.secret: is needed with ") + url + " in turn.urls");
    options.turn_secret = "a secret";
    assert_for(url, IceServers::validate(options).ok());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(credentials_are_those_of_openssl_dgst),
      cmocka_unit_test(turn_needs_a_secret_and_stun_does_not),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
