// What of a request a C program is shown: a text with a NUL in it would be another one to it.
#include "capi/src/views.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" {
#include <cmocka.h>
}

#include "engine/net/http.h"

namespace {

using signalbox::capi::HttpView;
using signalbox::capi::RoomView;

// Texts of which some have a NUL, where `ok` does not.
const signalbox::net::Fields kFields = {{"ok", "1"},
                                        {"value", std::string("admin\0x", 7)},
                                        {std::string("na\0me", 5), "2"},
                                        {"ok", ""},
                                        {std::string(1, '\0'), ""}};

void assert_shown(const sbx_pair* pairs, size_t count) {
  assert_int_equal(count, 2);
  assert_string_equal(pairs[0].name, "ok");
  assert_string_equal(pairs[0].value, "1");
  assert_string_equal(pairs[1].name, "ok");
  assert_string_equal(pairs[1].value, "");
}

signalbox::net::Request request() {
  signalbox::net::Request request;
  request.headers = kFields;
  request.query = kFields;
  return request;
}

void a_request_shows_no_pair_with_a_nul(void**) {
  const signalbox::net::Request http = request();
  const HttpView view({7, http});
  assert_int_equal(view.get()->ticket, 7);
  assert_shown(view.get()->headers, view.get()->header_count);
  assert_shown(view.get()->query, view.get()->query_count);
}

void nor_does_the_creation_of_a_room(void**) {
  const signalbox::net::Request http = request();
  const std::string room = "room";
  const RoomView view({8, room, nullptr, &http, http.client, nullptr});
  assert_string_equal(view.get()->room, "room");
  assert_null(view.get()->socket);
  assert_shown(view.get()->headers, view.get()->header_count);
  assert_shown(view.get()->query, view.get()->query_count);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_request_shows_no_pair_with_a_nul),
      cmocka_unit_test(nor_does_the_creation_of_a_room),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
