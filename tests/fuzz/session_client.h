// One client of the session fuzzer: its requests, its WebSockets, and what it has learnt.
//
// Thread: the fuzzer's only one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/net/http_exchange.h"
#include "tests/fuzz/session_floors.h"
#include "tests/fuzz/session_wire.h"

namespace fuzz {

class SessionClient {
 public:
  SessionClient(Floors& floors, std::string_view address);
  ~SessionClient();

  // Asks /socket.io/ with this query ("EIO=4&..."), to which the session's id is added if there is
  // one and the query has none.
  void get(std::string_view query);
  // The header of a POST is here; the body, too.
  void begin_post(std::string_view body);
  void finish_post();
  void upgrade(std::string_view query);
  void ask_api(signalbox::net::Method method, std::string_view path, std::string_view body);

  // Of the WebSocket that was opened last.
  void send(std::string_view message, bool binary);
  void lose_web_socket();
  void lose_web_sockets() { wires_.clear(); }
  void toggle_reading();

  // Gives up whatever it waits for.
  void give_up();

  // Begins as another client.
  void forget_session() { session_.clear(); }

  // Its Socket.IO id in the namespace that it connected to last.
  const std::string& socket() const { return socket_; }
  // No more waits for it, and for it is waited, than may be.
  void check() const;
  bool waits() const;

 private:
  struct Asked {
    std::shared_ptr<signalbox::net::HttpExchange> exchange;
    std::shared_ptr<int> answers;
  };
  signalbox::net::Request request(signalbox::net::Method method, std::string_view query) const;
  const Asked& ask(signalbox::net::Request request);
  // What the server has said.
  void learn(std::string_view text);

  Floors& floors_;
  const signalbox::net::Address address_;
  std::string session_;
  std::string socket_;
  std::vector<Asked> asked_;
  std::vector<std::shared_ptr<signalbox::net::HttpExchange>> posts_;  // have begun
  std::vector<std::unique_ptr<Wire>> wires_;
  bool reads_ = true;
};

}  // namespace fuzz
