// The listening socket. We accept, so that a bind error is clear, a full descriptor table cannot
// make the loop spin, and limits act before a connection costs anything.
//
// Thread: the loop's; open() may be called before the loop runs.
// Owner: the server. The accepted descriptor belongs to the callback.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/core/loop.h"
#include "engine/core/status.h"

namespace signalbox::net {

class Listener {
 public:
  explicit Listener(Loop& loop);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds and listens. "::" serves IPv4 too, and falls back to 0.0.0.0 where there is no IPv6. Port
  // 0 takes a free one. kAddress, with a text for a person, when that cannot be.
  Status open(const std::string& host, uint16_t port);

  // Begins to accept: `accepted` gets each new descriptor (non-blocking, close-on-exec); `starved`
  // is called when one had to be turned away for want of descriptors or memory.
  void start(std::function<void(int fd)> accepted, std::function<void()> starved);

  void close();

  uint16_t port() const { return port_; }

 private:
  void accept_ready();
  void shed();

  Loop& loop_;
  std::unique_ptr<Poll> poll_;
  Timer resume_;
  std::function<void(int)> accepted_;
  std::function<void()> starved_;
  int fd_ = -1;
  int reserve_ = -1;  // given up for a moment to turn a client away when descriptors have run out
  uint16_t port_ = 0;
};

}  // namespace signalbox::net
