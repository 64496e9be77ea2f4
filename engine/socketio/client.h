// One client: takes the messages of its session apart into packets, puts attachments back, and
// keeps its sockets.
//
// Thread: the loop's.
// Owner: its session.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/deadline_queue.h"
#include "engine/engineio/session.h"
#include "engine/socketio/connecting.h"
#include "engine/socketio/packet.h"
#include "engine/socketio/socket.h"

namespace signalbox::socketio {

class Server;

class Client : public engineio::SessionHandler {
 public:
  Client(Server& server, engineio::Session& session);
  ~Client() override;

  void on_message(std::string_view data, bool binary) override;
  void on_close(engineio::CloseReason reason) override;
  bool busy() const override;
  void on_connect_timeout();

 private:
  friend class Socket;
  friend class Connecting;
  // A binary packet whose attachments are still coming.
  struct Assembly {
    std::string text;
    size_t expected;
    size_t bytes;
    std::vector<std::string> attachments;
  };

  void on_text(std::string_view text);
  void on_attachment(std::string_view data);
  void on_packet(const Packet& packet, std::span<const std::string> attachments);
  void connect(const Packet& packet);
  void admit(Connecting& connecting);
  void refuse(const Connecting& connecting, std::string_view error);
  // Whether it has asked to be let in already, in the same way, and cannot know the answer.
  bool is_connecting(const Packet& packet) const;
  // Takes a question back whose answer is here, or not wanted any more. False when there is none.
  bool withdraw(std::string_view nsp);
  void disconnect(Socket& socket, std::string_view reason);
  void on_ack(const Socket& socket, const Packet& packet, std::span<const std::string> attachments);
  Socket* find(std::string_view nsp) const;
  void reject();

  Server& server_;
  engineio::Session& session_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<std::shared_ptr<Connecting>> connecting_;  // wait for an answer
  std::vector<std::unique_ptr<Socket>> retired_;  // disconnected, maybe still in use up the stack
  std::unique_ptr<Assembly> assembly_;
  Deadline connect_;
};

}  // namespace signalbox::socketio
