// A connection that libwebsockets serves: what it counts for, how far it may read, and what is
// going on on it.
//
// Thread: the loop's.
// Owner: libwebsockets' connection; dispatch.cpp deletes it.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "engine/net/attachment.h"
#include "engine/net/presence.h"

struct lws;

namespace signalbox::net {

struct Connection {
  Connection(std::unique_ptr<Presence> who, int descriptor, const Clearance& begun)
      : presence(std::move(who)), fd(descriptor), cleared(begun) {}

  // Ends what was attached before.
  void attach(std::unique_ptr<Attachment> replacement) {
    attachment.reset();
    attachment = std::move(replacement);
  }

  const std::unique_ptr<Presence> presence;
  const int fd;
  struct lws* wsi = nullptr;
  std::shared_ptr<const TlsRelay> relay;  // where it was decrypted; null without TLS
  // The bytes of the stream, from its beginning, that the reception has cleared, and the requests
  // among them that have not begun.
  Clearance cleared;
  bool last = false;            // no further request is served
  bool waiting = false;         // in the reception, for the next request
  bool counts_request = false;  // it counts for the client of its request, behind a proxy
  std::unique_ptr<Attachment> attachment;
};

}  // namespace signalbox::net
