// The descriptor through which libwebsockets wakes itself up, closed once only.
//
// On libuv, libwebsockets (4.1.6; its issue 2514) closes it in lws_context_destroy(), and again
// when libuv has let go of it, some turns later: by then the number may be that of a file or a
// connection that another thread of the host's has opened.
//
// Thread: the loop's.
// Owner: the Server.
#pragma once

#include <vector>

#include "engine/core/loop.h"

struct lws;

namespace signalbox::net {

class EventPipe {
 public:
  explicit EventPipe(const Loop& loop) : loop_(loop) {}

  // Right before and right after lws_create_context().
  void expect();
  void find();

  // Right after the first lws_context_destroy(): libwebsockets is made to forget the number, which
  // it has given back.
  void disown();

 private:
  const Loop& loop_;
  std::vector<void*> before_;
  struct lws* wsi_ = nullptr;  // libwebsockets' own
  int fd_ = -1;
};

}  // namespace signalbox::net
