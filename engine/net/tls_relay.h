// One TLS connection. The client's bytes are decrypted here and go through a socket pair to
// whoever serves, as if they came from a client without TLS; the answers go back the same way. So
// everything behind works, and looks at what comes, the same with and without TLS.
//
// Each direction holds one piece of at most kPiece bytes beside what the system buffers, and reads
// on when that has gone: who reads slowly is noticed by who sends.
//
// Thread: one at a time; handed from one to another between two calls.
// Owner: the gate, and whoever has the other end of the pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engine/net/tls_context.h"

namespace signalbox::net {

class Presence;

class TlsRelay {
 public:
  enum class State { kHandshake, kOpen, kOver };

  // Takes over the descriptor, non-blocking, and keeps `presence` until the connection is closed.
  TlsRelay(TlsSession session, int client, std::shared_ptr<Presence> presence);
  ~TlsRelay();
  TlsRelay(const TlsRelay&) = delete;
  TlsRelay& operator=(const TlsRelay&) = delete;

  // Where there is something to do, as far as that is known.
  enum class Ready { kClient, kServer, kEither };

  // Goes on as far as it can without waiting. At the end of the handshake makes the pair.
  State advance(Ready ready = Ready::kEither);
  // Whoever served has closed the pair; what is left goes to the client, what comes is dropped.
  void server_left() { server_left_ = true; }
  // Gives what the server sent last to the client, as far as that takes it now.
  void finish();
  // Closes the client's connection, and the pair.
  void end();

  State state() const;
  bool waits_for_client() const { return server_left_ && state() != State::kOver; }

  // The end of the pair for whoever serves, once the handshake is done; -1 when it was taken.
  int take_server_end() { return std::exchange(owned_server_end_, -1); }
  // How many bytes went into the pair.
  uint64_t delivered() const { return delivered_; }

  // The descriptors to watch and what for (EPOLLIN and so on). Of the pair's end the edges.
  int client() const { return client_; }
  uint32_t client_events() const;
  int inner() const { return inner_; }
  uint32_t inner_events() const;

 private:
  static constexpr size_t kPiece = 16384;  // the most that one record holds
  static constexpr int kPieces = 16;       // of a client in one turn

  void shake_hands();
  bool make_pair();
  void to_server();
  bool send_to_server(const char* data, size_t size);
  void compact();
  void to_client();
  bool send_to_client(const char* data, size_t size);
  void say_farewell();
  // Of a call of OpenSSL that did not succeed: whether it is to be called again later.
  bool comes_later(int result);

  TlsSession session_;
  std::shared_ptr<Presence> presence_;
  int client_;
  int inner_ = -1;
  int server_end_ = -1;
  int owned_server_end_ = -1;
  std::string for_server_;  // what the pair did not take
  std::string for_client_;  // what OpenSSL did not take
  uint64_t delivered_ = 0;
  bool open_ = false;
  bool wants_write_ = false;   // OpenSSL waits until the client can be written to
  bool has_more_ = false;      // of the client, which OpenSSL has read already
  bool client_ended_ = false;  // nothing more comes from there
  bool server_ended_ = false;
  bool farewell_said_ = false;  // the client was told that the server has ended
  bool server_left_ = false;
  bool broken_ = false;
};

}  // namespace signalbox::net
