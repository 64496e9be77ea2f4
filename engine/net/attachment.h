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
  enum class Kind : unsigned char { kExchange, kUpgrade, kWebSocket };
  explicit Attachment(Kind what) : kind(what) {}
  virtual ~Attachment() = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  const Kind kind;  // asked with each event of libwebsockets, for which dynamic_cast takes long
};

struct ExchangeAttachment : Attachment {
  static constexpr Kind kKind = Kind::kExchange;
  explicit ExchangeAttachment(std::shared_ptr<HttpExchange> value)
      : Attachment(kKind), exchange(std::move(value)), undelivered(exchange->share()) {}
  std::shared_ptr<HttpExchange> exchange;
  std::shared_ptr<HttpExchange> undelivered;  // for the handler; null once it has it
};

struct UpgradeAttachment : Attachment {
  static constexpr Kind kKind = Kind::kUpgrade;
  explicit UpgradeAttachment(std::unique_ptr<WebSocketHandler> value)
      : Attachment(kKind), handler(std::move(value)) {}
  std::unique_ptr<WebSocketHandler> handler;
};

}  // namespace signalbox::net
