// Sockets for units that tell them apart by their addresses and never look into them.
//
// Thread: the test's only one.
#pragma once

#include <array>
#include <cstddef>

namespace signalbox::socketio {
class Socket;
}

namespace unit_test {

inline signalbox::socketio::Socket& some_socket(size_t index) {
  static std::array<std::max_align_t, 4> places;
  return reinterpret_cast<signalbox::socketio::Socket&>(places.at(index));
}

}  // namespace unit_test
