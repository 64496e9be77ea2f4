// One Socket.IO client in the main namespace: over WebSocket, or over polling, from which it may
// upgrade.
//
// Thread: the only one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/connection.h"
#include "tests/bench/socketio.h"
#include "tests/bench/world.h"

namespace bench {

class Client final : private Connection::Listener {
 public:
  enum class Transport : uint8_t { kWebSocket, kPolling };

  // The client may be closed in each of these calls, but not destroyed: Reactor::defer() that.
  class Listener {
   public:
    virtual void on_connected(Client& client) = 0;
    virtual void on_event(Client& client, const Event& event) = 0;
    // Once, unless this side closed it by close() or reset(). `reason` is a kind of error, unless
    // leave() was called before.
    virtual void on_closed(Client& client, std::string_view reason) = 0;
    virtual void on_upgraded(Client&) {}

   protected:
    ~Listener() = default;
  };

  Client(World& world, Listener& listener, std::string address = {}, Node node = Node::kFirst);
  ~Client();

  // `receive_buffer`: see Connection::open().
  void connect(Transport transport = Transport::kWebSocket, int receive_buffer = 0);
  // Moves from polling to WebSocket; on_upgraded() tells when that is done.
  void upgrade();

  void emit(std::string_view name, std::string_view payload) { send(event_packet(name, payload)); }
  // An Engine.IO packet; nothing happens on a client that is closed.
  void send(std::string_view packet);

  // Takes its leave, and waits for the server to end the connection: on_closed().
  void leave();
  void close();
  void reset();

  void pause_reading() { main_->pause_reading(); }
  void resume_reading() { main_->resume_reading(); }

  const std::string& id() const { return id_; }  // empty until it is connected
  const std::string& address() const { return address_; }
  size_t unsent() const { return main_->unsent(); }
  bool leaving() const { return leaving_; }
  uint64_t pings() const { return pings_; }

 private:
  struct Polling;  // what only polling needs

  void on_open(Connection& connection) override;
  size_t on_bytes(Connection& connection, std::string_view bytes) override;
  void on_end(Connection& connection, int error) override;

  size_t read_frames(Connection& connection, std::string_view bytes);
  void on_message(Connection& connection, std::string_view message);
  void on_payload(std::string_view payload);
  void on_packet(std::string_view packet);
  void on_probe_packet(std::string_view packet);

  void poll();
  void post();
  void finish_upgrade();
  void queue(std::string_view packet);
  void send_frame(std::string_view text);
  std::string target(std::string_view path) const;
  Route route() const { return world_.route(node_); }
  void fail(std::string_view reason);

  World& world_;
  Listener& listener_;
  const std::string address_;
  const Node node_;
  std::unique_ptr<Connection> main_;  // the WebSocket, or where it polls
  std::unique_ptr<Polling> polling_;
  std::string id_;
  std::string pieces_;  // of a message in several frames
  uint64_t pings_ = 0;
  bool frames_ = false;  // the connection speaks WebSocket by now
  bool leaving_ = false;
  bool over_ = true;
};

}  // namespace bench
