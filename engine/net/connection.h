// A connection that libwebsockets serves: what it counts for, how far it may read, and what is
// going on on it.
//
// Thread: the loop's.
// Owner: libwebsockets' connection; dispatch.cpp deletes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "engine/core/deadline_queue.h"
#include "engine/net/attachment.h"
#include "engine/net/presence.h"

struct lws;

namespace signalbox::net {

struct Connection {
  Connection(std::shared_ptr<Presence> who, int descriptor, const Clearance& begun)
      : presence(std::move(who)), fd(descriptor), cleared(begun) {}
  ~Connection() { presence->request_is_whole(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Ends what was attached before.
  void attach(std::unique_ptr<Attachment> replacement) {
    attachment.reset();
    attachment = std::move(replacement);
  }

  const std::shared_ptr<Presence> presence;
  const int fd;
  struct lws* wsi = nullptr;
  std::shared_ptr<const TlsRelay> relay;  // where it was decrypted; null without TLS
  // The bytes of the stream, from its beginning, that the reception has cleared, and the requests
  // among them that have not begun.
  Clearance cleared;
  uint64_t body_left = 0;       // bytes of its request's body that have not come, of a known length
  bool last = false;            // no further request is served
  Deadline leaving{this};       // when it is the last: by when the rest of its body must be here
  bool waiting = false;         // in the reception, for the next request
  bool counts_request = false;  // it counts for the client of its request, behind a proxy
  std::unique_ptr<Attachment> attachment;
};

}  // namespace signalbox::net
