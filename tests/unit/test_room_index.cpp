#include "engine/socketio/room_index.h"

#include "tests/unit/some_sockets.h"
#include "tests/unit/unit_test.h"

using signalbox::socketio::RoomIndex;
using signalbox::socketio::Socket;
using unit_test::Exact;
using unit_test::some_socket;

namespace {

Socket& a = some_socket(0);
Socket& b = some_socket(1);

void a_room_has_those_that_were_added(void**) {
  RoomIndex rooms;
  assert_int_equal(rooms.in("x").size(), 0);
  rooms.add(Exact("x").view(), a);
  rooms.add("x", b);
  rooms.add("y", b);
  const auto in = rooms.in(Exact("x").view());
  assert_int_equal(in.size(), 2);
  assert_true((in[0] == &a && in[1] == &b) || (in[0] == &b && in[1] == &a));
  assert_int_equal(rooms.in("y").size(), 1);
  assert_ptr_equal(rooms.in("y")[0], &b);
  assert_int_equal(rooms.in("").size(), 0);
  assert_int_equal(rooms.in("X").size(), 0);
}

void who_was_removed_is_in_no_room_but_the_others(void**) {
  RoomIndex rooms;
  for (const char* room : {"x", "y"}) {
    rooms.add(room, a);
    rooms.add(room, b);
  }
  rooms.remove("x", a);
  assert_int_equal(rooms.in("x").size(), 1);
  assert_ptr_equal(rooms.in("x")[0], &b);
  assert_int_equal(rooms.in("y").size(), 2);
  rooms.remove("x", b);
  assert_int_equal(rooms.in("x").size(), 0);
  rooms.add("x", a);
  assert_ptr_equal(rooms.in("x")[0], &a);
}

void removing_who_is_not_there_does_nothing(void**) {
  RoomIndex rooms;
  rooms.remove("x", a);
  rooms.add("x", a);
  rooms.remove("x", b);
  rooms.remove("y", a);
  assert_int_equal(rooms.in("x").size(), 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_room_has_those_that_were_added),
      cmocka_unit_test(who_was_removed_is_in_no_room_but_the_others),
      cmocka_unit_test(removing_who_is_not_there_does_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
