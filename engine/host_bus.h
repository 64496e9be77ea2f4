// Carries what the host sends to sockets of other nodes over the bus between nodes.
//
// Thread: the loop's.
// Owner: the node.
#pragma once

#include <string>
#include <string_view>

#include "engine/host/elsewhere.h"
#include "engine/host/host.h"
#include "engine/signaling/neighbours.h"
#include "engine/store/envelope.h"

namespace signalbox {

class HostBus : public host::Elsewhere {
 public:
  // Keeps the reference.
  explicit HostBus(signaling::Neighbours& neighbours) : neighbours_(neighbours) {}

  bool may_have(std::string_view socket) const override;
  void emit(const std::string& socket, const host::Message& message) override;
  void broadcast(const std::string& nsp, const std::string& room, const std::string& except,
                 const host::Message& message) override;
  void listen(const std::string& nsp, const std::string& room) override;
  void ignore(const std::string& nsp, const std::string& room) override;

  // Another node's message to sockets of this one.
  void deliver(const store::Envelope& envelope, host::Host& host) const;

 private:
  signaling::Neighbours& neighbours_;
};

}  // namespace signalbox
