// A client that asks to be let into a namespace and waits for the answer, which may come later.
//
// Thread: the loop's.
// Owner: shared between the client and whoever is to answer; either may let go first.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/engineio/session.h"
#include "engine/socketio/socket.h"

namespace signalbox::socketio {

class Client;
class Namespace;

class Connecting {
 public:
  Connecting(Client& client, const engineio::Session& session, Namespace& nsp,
             std::string socket_id, std::string auth)
      : client_(&client),
        session_(session),
        nsp_(nsp),
        socket_id_(std::move(socket_id)),
        auth_(std::move(auth)) {}

  Namespace& nsp() const { return nsp_; }
  // The id that the socket is going to have.
  const std::string& socket_id() const { return socket_id_; }
  // What the client gave as auth: a JSON object.
  const std::string& auth() const { return auth_; }
  // While pending().
  const engineio::Session& session() const { return session_; }

  // What the socket is going to have as its data.
  void set_data(std::unique_ptr<SocketData> data) { data_ = std::move(data); }

  // Not answered, and the client still waits.
  bool pending() const { return client_ != nullptr; }

  // Called once when the client takes the question back or goes away; not after an answer.
  void set_on_withdrawn(std::function<void()> on_withdrawn) {
    on_withdrawn_ = std::move(on_withdrawn);
  }

  // Lets the client in: the handler's on_connect() is called inside. Nothing unless pending().
  void accept();

  // The client gets a CONNECT_ERROR with `message` and, unless it is empty, `data` (JSON text).
  // Nothing unless pending().
  void refuse(std::string_view message, std::string_view data = {});

 private:
  friend class Client;
  Client* client_;
  const engineio::Session& session_;
  Namespace& nsp_;
  std::string socket_id_;
  std::string auth_;
  std::unique_ptr<SocketData> data_;
  std::function<void()> on_withdrawn_;
};

}  // namespace signalbox::socketio
