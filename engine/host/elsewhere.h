// What the host's side of an engine needs of the other nodes. Without any, everything stays here.
//
// Thread: the loop's.
// Owner: the node.
#pragma once

#include <string>
#include <string_view>

#include "engine/host/message.h"

namespace signalbox::host {

class Elsewhere {
 public:
  virtual ~Elsewhere() = default;

  // Whether a socket of that id, which is not connected here, may be connected to another node.
  virtual bool may_have(std::string_view socket) const = 0;
  // Sends an event to it.
  virtual void emit(const std::string& socket, const Message& message) = 0;

  // Sends an event to the sockets of other nodes in a room of a namespace (empty: to all in that
  // namespace), but for the socket `except`.
  virtual void broadcast(const std::string& nsp, const std::string& room, const std::string& except,
                         const Message& message) = 0;

  // From now on this node has sockets to which such an event may be sent, or has none any more.
  virtual void listen(const std::string& nsp, const std::string& room) = 0;
  virtual void ignore(const std::string& nsp, const std::string& room) = 0;
};

}  // namespace signalbox::host
