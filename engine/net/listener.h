// Accepts from a listening socket. We do that ourselves, so that a bind error is clear, a full
// descriptor table cannot make the loop spin, and limits act before a connection costs anything.
//
// Thread: the loop's.
// Owner: the server. The accepted descriptor belongs to the callback.
#pragma once

#include <functional>
#include <memory>

#include "engine/core/loop.h"
#include "engine/net/client_address.h"
#include "engine/net/listening_socket.h"

namespace signalbox::net {

class Listener {
 public:
  explicit Listener(Loop& loop);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Begins to accept: `accepted` gets each new descriptor (non-blocking, close-on-exec) and the
  // address of its peer; `starved` is called when one had to be turned away for want of descriptors
  // or memory.
  void start(std::shared_ptr<const ListeningSocket> socket,
             std::function<void(int fd, const Address& peer)> accepted,
             std::function<void()> starved);

  // Accepts no more and lets go of the socket.
  void close();

 private:
  void accept_ready();
  bool shed();

  Loop& loop_;
  std::unique_ptr<Poll> poll_;
  Timer resume_;
  std::function<void(int, const Address&)> accepted_;
  std::function<void()> starved_;
  std::shared_ptr<const ListeningSocket> socket_;
  int reserve_ = -1;  // given up for a moment to turn a client away when descriptors have run out
};

}  // namespace signalbox::net
