#include "engine/net/event_pipe.h"

#include <libwebsockets.h>
#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace signalbox::net {

void EventPipe::expect() {
  before_ = loop_.poll_data();
}

// What libwebsockets has with a poll is the `struct lws` of the descriptor; a new context has none
// but this.
void EventPipe::find() {
  const std::vector<void*> before = std::exchange(before_, {});
  for (void* data : loop_.poll_data()) {
    if (std::find(before.begin(), before.end(), data) != before.end()) continue;
    wsi_ = static_cast<struct lws*>(data);
    fd_ = lws_get_socket_fd(wsi_);
    return;
  }
}

// The field has no setter. Which it is, its getter tells. Called in a destructor: throws nothing.
void EventPipe::disown() {
  struct lws* wsi = std::exchange(wsi_, nullptr);
  if (wsi == nullptr || !loop_.has_poll(wsi)) return;    // it was not found, or has been freed
  if (fd_ < 0 || lws_get_socket_fd(wsi) != fd_) return;  // it has been forgotten
  char* bytes = reinterpret_cast<char*>(wsi);
  const int none = LWS_SOCK_INVALID;
  for (size_t at = 0; at + sizeof fd_ <= malloc_usable_size(wsi); at += sizeof fd_) {
    if (std::memcmp(bytes + at, &fd_, sizeof fd_) != 0) continue;
    std::memcpy(bytes + at, &none, sizeof none);
    if (lws_get_socket_fd(wsi) == none) return;
    std::memcpy(bytes + at, &fd_, sizeof fd_);
  }
}

}  // namespace signalbox::net
