// Joins a WebSocket to its session, be it the session's transport or the probe that is to become
// it.
//
// Thread: the loop's.
// Owner: its net::WebSocket. The session points to it until on_close().
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "engine/net/client_address.h"
#include "engine/net/handler.h"

namespace signalbox::engineio {

class Server;
class Session;
struct Handshake;

class WebSocketTransport : public net::WebSocketHandler {
 public:
  // For a new session, or (with the id of one that exists) to upgrade that; `handshake` is the new
  // session's, or null.
  WebSocketTransport(Server& server, const net::Address& client,
                     std::unique_ptr<const Handshake> handshake, std::string upgrade_of);
  ~WebSocketTransport() override;

  void on_open(net::WebSocket& socket) override;
  void on_message(std::string_view data, bool binary) override;
  void on_close() override;

  void send(std::initializer_list<std::string_view> parts, bool binary);
  void close();
  void drop();  // drops what waits
  // As net::WebSocket's.
  void pause_reading();
  void resume_reading();
  size_t queued() const;
  size_t kept() const;
  // The session is gone or has let go of us.
  void detach() { session_ = nullptr; }

 private:
  Server& server_;
  net::Address client_;
  std::unique_ptr<const Handshake> handshake_;  // until the session has it
  std::string upgrade_of_;
  net::WebSocket* socket_ = nullptr;
  Session* session_ = nullptr;
};

}  // namespace signalbox::engineio
