// One Engine.IO session: a client across its transports. It begins on polling or on a WebSocket,
// may move from the first to the second, and ends once.
//
// Thread: the loop's.
// Owner: the Server. A Session lives until the turn of the loop after its handler's on_close().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/deadline_queue.h"
#include "engine/engineio/packet.h"
#include "engine/engineio/packet_allowance.h"
#include "engine/net/client_address.h"
#include "engine/net/http.h"
#include "engine/net/kept_bytes.h"

namespace signalbox::net {
class HttpExchange;
}

namespace signalbox::engineio {

class Server;
class Session;
class WebSocketTransport;

enum class CloseReason {
  kTransportClose,  // the client or the network ended the connection
  kTransportError,  // the client broke the transport's rules
  kPingTimeout,
  kParseError,
  kSlowReader,  // more waited for it than engineio.max_buffered or .max_buffered_total allow
  kForced,      // the floor above asked for it
  kShutdown,
};

// The name that Socket.IO gives a reason.
std::string_view reason_text(CloseReason reason);

// Takes a session's events. Owned by its session.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // One message; `data` is valid during the call. Text is valid UTF-8.
  virtual void on_message(std::string_view data, bool binary) = 0;
  // The session is over; nothing can be sent any more. Called once.
  virtual void on_close(CloseReason reason) = 0;
  // Whether something that the client has asked for is under way.
  virtual bool busy() const { return false; }
};

// What the request that opened a session said.
struct Handshake {
  net::Fields headers;  // as net::Request has them
  net::Fields query;
};

class Session {
 public:
  Session(Server& server, std::string id, const net::Address& client,
          std::unique_ptr<const Handshake> handshake);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The client's secret.
  const std::string& id() const { return id_; }
  const net::Address& client() const { return client_; }
  // Null unless Server::keep_handshakes() asked for it when the session was opened.
  const Handshake* handshake() const { return handshake_.get(); }
  bool open() const { return state_ == State::kOpen; }
  // Whether an end now would leave nothing half done: no message is coming in, nothing that the
  // client has asked for is under way, and it has fetched its messages (on a WebSocket they go out
  // before the end).
  bool at_rest() const;
  // Whether messages wait for the next poll, and that can come although nobody listens any more.
  bool owes_messages() const;

  // Sends one message in order; dropped when the session is over. A client that does not read is
  // closed once engineio.max_buffered bytes wait for it, or half of what
  // engineio.max_buffered_total leaves.
  void send(std::string_view data, bool binary);

  // The floor above keeps so many bytes of messages that are not complete. False when that is too
  // much beside what is kept for other clients.
  bool keep(size_t bytes);

  // Ends the session; the handler's on_close() is called inside. What was sent before still goes
  // out.
  void close(CloseReason reason);

 private:
  friend class Server;
  friend class WebSocketTransport;
  enum class State {
    kOpen,
    kClosing,  // the client has yet to fetch what waits, and behind it a close packet
    kLeaving,  // the client has yet to fetch what waits
    kClosed,
  };
  struct Pending {
    PacketType type;
    bool binary;
    std::string data;
  };
  struct Post {
    std::shared_ptr<net::HttpExchange> exchange;
    PayloadReader reader;
  };

  void begin(std::unique_ptr<SessionHandler> handler);

  // Polling.
  void on_poll(const std::shared_ptr<net::HttpExchange>& exchange);
  // A POST has begun: false, and the end, when another is under way or its type is that of bytes.
  bool begin_post(const std::shared_ptr<net::HttpExchange>& exchange);
  void on_post(const std::shared_ptr<net::HttpExchange>& exchange);
  void answer_poll();
  // Takes packets of the POST that is here, as many as may come now.
  void take_packets();
  void end_post(bool valid);

  // WebSocket: as the session's transport, and as one that is to become it.
  void on_socket_open(WebSocketTransport& socket);
  void on_socket_message(std::string_view data, bool binary);
  void on_probe_open(WebSocketTransport& probe);
  void on_probe_message(std::string_view data, bool binary);
  void on_socket_close(WebSocketTransport& socket);
  void drop_probe();

  void on_packet(const Packet& packet);
  // A client that sends too many packets is read no more for a while, whatever its transport; one
  // that has more of them in a POST lets others have their turn.
  bool may_send() const;
  void rest();
  void go_on();
  void send_packet(PacketType type, bool binary, std::string_view data);
  // Whether its client reads too slowly, for itself or beside the others.
  bool too_much_waits() const;
  bool too_much_kept(size_t bytes) const;
  void set_pending_bytes(size_t bytes);
  void on_upgrade_due();
  void on_ping_due();
  // The pong did not come, or nobody came for a closing session's last words.
  void on_patience_end();
  // Whether a client on polling still gets a close packet: only if a poll waits for one, or with
  // the next poll too.
  enum class Farewell { kNone, kIfPolled, kAlways };
  void end(CloseReason reason, Farewell farewell);
  void take_leave(CloseReason reason, Farewell farewell);

  Server& server_;
  std::string id_;
  net::Address client_;
  std::unique_ptr<const Handshake> handshake_;
  std::unique_ptr<SessionHandler> handler_;
  WebSocketTransport* socket_ = nullptr;     // null: the transport is polling
  WebSocketTransport* probe_ = nullptr;      // of an upgrade that is under way
  std::shared_ptr<net::HttpExchange> poll_;  // the request that waits for something to send
  std::vector<Pending> pending_;             // for the next poll
  net::KeptBytes pending_bytes_;
  net::KeptBytes unfinished_;  // see keep()
  Deadline heartbeat_;         // a ping is due, then a pong; when closing, the end of patience
  Deadline upgrade_;
  Deadline rest_;  // until it is read on
  PacketAllowance allowance_;
  std::weak_ptr<net::HttpExchange> coming_post_;  // its body is still coming
  std::shared_ptr<Post> post_;                    // its body is here
  enum class PongDue : uint8_t { kNo, kSoon, kExtended } pong_due_ = PongDue::kNo;
  bool probed_ = false;           // the probe was answered: polls return at once
  bool keeps_connection_ = true;  // as its last poll said
  State state_ = State::kOpen;
  std::unique_ptr<Session> next_retired_;  // in the Server's list
};

}  // namespace signalbox::engineio
