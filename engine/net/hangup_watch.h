// Notices that clients who wait for an answer have gone.
//
// While an answer is held back (a long poll), reading from the connection is paused: libwebsockets
// would spin on bytes, or on the end of them, that it does not want yet. Paused, it does not notice
// a client that leaves either. So the descriptor stands, for that time, in an epoll set of our own
// that asks for nothing but the hang-up.
//
// Thread: the loop's.
// Owner: the server. It owns no descriptor but the epoll set's.
#pragma once

#include <functional>
#include <memory>

#include "engine/core/loop.h"

namespace signalbox::net {

class HangupWatch {
 public:
  // `gone` gets the owner named in add(); at most once for each add(). Throws std::runtime_error
  // when the system refuses a descriptor.
  HangupWatch(Loop& loop, std::function<void(void* owner)> gone);
  ~HangupWatch();
  HangupWatch(const HangupWatch&) = delete;
  HangupWatch& operator=(const HangupWatch&) = delete;

  void add(int fd, void* owner);
  // Before `fd` is closed or read from again.
  void remove(int fd);

 private:
  void ready();

  std::function<void(void*)> gone_;
  int epoll_;
  std::unique_ptr<Poll> poll_;
};

}  // namespace signalbox::net
