// What hangs on a connection of libwebsockets: the HTTP exchange in progress, an accepted upgrade
// that is not yet done, or the WebSocket. One at a time; its destruction ends it.
//
// Thread: the loop's.
// Owner: the Connection.
#pragma once

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

}  // namespace signalbox::net
