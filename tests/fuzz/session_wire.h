// The client's end of a WebSocket. net::WebSocket's functions are defined in session_wire.cpp, and
// the linker takes those: what the server sends comes to the Wire, without libwebsockets.
//
// Thread: the fuzzer's only one.
// Owner: a SessionClient.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "engine/net/handler.h"
#include "engine/net/web_socket.h"

namespace fuzz {

class Wire {
 public:
  // `sent` gets what the server sends.
  Wire(std::unique_ptr<signalbox::net::WebSocketHandler> handler,
       std::function<void(std::string_view message)> sent);
  // The connection is gone.
  ~Wire();

  // A message of the client; text that is not UTF-8 ends the connection, as in libwebsockets.
  void receive(std::string_view message, bool binary);
  void set_reads(bool reads);
  bool ended() const { return ended_; }
  // What waits for a client that does not read.
  size_t queued() const { return socket_->queued(); }

 private:
  friend class signalbox::net::WebSocket;
  signalbox::net::WebSocketHandler& handler_;
  std::function<void(std::string_view)> sent_;
  bool reads_ = true;
  bool ended_ = false;  // by the server
  size_t* queued_ = nullptr;
  std::unique_ptr<signalbox::net::WebSocket> socket_;
};

}  // namespace fuzz
