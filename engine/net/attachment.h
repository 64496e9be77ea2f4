// What hangs on a connection of libwebsockets: the HTTP exchange in progress, an accepted upgrade
// that is not yet done, the WebSocket, or a note on what went before. One at a time; its
// destruction ends it.
//
// Thread: the loop's.
// Owner: the connection; dispatch.cpp replaces and deletes it.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "engine/net/handler.h"
#include "engine/net/http_exchange.h"

namespace signalbox::net {

class Attachment {
 public:
  virtual ~Attachment() = default;
};

struct ExchangeAttachment : Attachment {
  explicit ExchangeAttachment(std::shared_ptr<HttpExchange> value) : exchange(std::move(value)) {}
  std::shared_ptr<HttpExchange> exchange;
};

struct UpgradeAttachment : Attachment {
  explicit UpgradeAttachment(std::unique_ptr<WebSocketHandler> value) : handler(std::move(value)) {}
  std::unique_ptr<WebSocketHandler> handler;
};

// Nothing in progress; how much had been read when the last answer went out (see received_bytes.h).
struct KeepAliveAttachment : Attachment {
  explicit KeepAliveAttachment(uint64_t value) : received(value) {}
  uint64_t received;
};

}  // namespace signalbox::net
