// One WebSocket connection: whole messages in, messages out through a bounded queue.
//
// Thread: the loop's.
// Owner: the net floor. The pointer that WebSocketHandler::on_open() got is valid until on_close().
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/net/attachment.h"
#include "engine/net/handler.h"
#include "engine/net/kept_bytes.h"

struct lws;

namespace signalbox::net {

class Server;

class WebSocket : public Attachment {
 public:
  static constexpr Kind kKind = Kind::kWebSocket;
  WebSocket(Server& server, struct lws* wsi, std::unique_ptr<WebSocketHandler> handler);

  // Sends one message, put together from `parts`: at once when nothing waits, else behind what
  // waits. A failed connection swallows it; on_close() follows. Safe to call inside any callback.
  void send(std::initializer_list<std::string_view> parts, bool binary);

  // Sends what is queued, then a close frame with `code` (RFC 6455, 7.4.1), then ends; all within a
  // few seconds, whether the peer reads or not. Nothing is delivered to the handler afterwards but
  // on_close().
  void close(uint16_t code);

  // Nothing more is read, and delivered, until resume_reading(); that the peer has gone may be
  // noticed only then.
  void pause_reading();
  void resume_reading();

  // Ends at once and drops what is queued; on_close() follows in a later turn.
  void drop();

  // Bytes that messages in our queue take; the caller bounds them.
  size_t queued() const { return queued_; }
  // The same, the message of which the system took a part only, and the one that is coming in.
  size_t kept() const { return kept_.get(); }

 private:
  friend class Dispatch;
  struct Outgoing {
    std::string data;  // LWS_PRE bytes of room, then the message
    bool binary;
  };
  bool write(char* padded, size_t length, bool binary);
  // Counts what is kept.
  void account();
  // Hands a whole one on. These give what on_receive() then has to.
  bool take_message(std::string_view message, bool binary);
  bool refuse_message();  // which is too large
  bool refuse(uint16_t code);
  // Ends the connection after so many seconds, whatever is under way.
  void end_within(int seconds);
  // Callbacks of libwebsockets, through Server. False ends the connection.
  bool on_receive(const char* data, size_t length);
  bool on_writable();

  Server& server_;
  struct lws* wsi_;
  std::unique_ptr<WebSocketHandler> handler_;
  std::unique_ptr<std::string> partial_;  // of a message that comes in pieces
  std::vector<Outgoing> queue_;
  size_t queued_ = 0;
  size_t half_sent_ = 0;  // bytes of the message that libwebsockets keeps
  KeptBytes kept_;
  uint16_t close_code_ = 0;
  bool ended_ = false;  // nothing can be sent any more; on_close() is to come or has come
};

}  // namespace signalbox::net
