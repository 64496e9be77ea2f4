// Which sockets are in which room, by name.
//
// Thread: the loop's.
// Owner: whoever keeps rooms. It points to sockets that it does not own: remove() them before they
//   go.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace signalbox::socketio {

class Socket;

class RoomIndex {
 public:
  // Again: nothing happens.
  void add(std::string_view room, Socket& socket);
  // The socket need not be in the room.
  void remove(std::string_view room, Socket& socket);

  // The sockets in a room, in no order.
  std::vector<Socket*> in(std::string_view room) const;
  bool has(std::string_view room) const { return rooms_.contains(room); }
  // How many rooms have sockets.
  size_t size() const { return rooms_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::unordered_set<Socket*>, Hash, std::equal_to<>> rooms_;
};

}  // namespace signalbox::socketio
