// A TCP connection that never blocks. What cannot be sent at once waits; what was received and is
// not yet complete is kept.
//
// Thread: the only one.
#pragma once

#include <netinet/in.h>

#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/reactor.h"
#include "tests/bench/tls.h"

namespace bench {

// Where the server is, and which of this machine's addresses to come from (0: any). Loopback has
// many, and each has ephemeral ports of its own.
struct Route {
  sockaddr_in server{};
  in_addr source{};
  bool tls = false;
};

class Connection final : private Pollable {
 public:
  // Its connection may be closed in each of these calls, but not destroyed: Reactor::defer() that.
  class Listener {
   public:
    virtual void on_open(Connection& connection) = 0;
    // Everything received and not consumed yet. Gives how many bytes it consumed.
    virtual size_t on_bytes(Connection& connection, std::string_view bytes) = 0;
    // The server ended it, or it could not be opened: `error` is an errno, 0 for an orderly end.
    // Not called for a connection that was closed by this side.
    virtual void on_end(Connection& connection, int error) = 0;

   protected:
    ~Listener() = default;
  };

  Connection(Reactor& reactor, Listener& listener) : reactor_(reactor), listener_(listener) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to connect. `receive_buffer`: bytes that the kernel may keep for a reader that does not
  // read; 0: its default.
  void open(const Route& route, int receive_buffer = 0);
  bool closed() const { return fd_ < 0; }
  bool established() const { return established_; }

  // Before it is established, too. Nothing happens on one that is closed.
  void send(std::string_view bytes);

  // Bytes that the system has not taken.
  size_t unsent() const { return unsent_.size(); }

  void pause_reading();
  void resume_reading();

  void close();
  // With a reset, as if the process were killed with data unread.
  void reset();

 private:
  void on_ready(uint32_t events) override;
  // Whether it is established by now. Otherwise it waits for more, or has ended.
  bool establish(uint32_t events);
  ssize_t put(std::string_view bytes);
  void receive();
  void flush();
  void watch();
  void watch(uint32_t events);
  void fail_soon(int error);
  void end(int error);

  Reactor& reactor_;
  Listener& listener_;
  int fd_ = -1;
  uint32_t watched_ = 0;
  bool established_ = false;  // with TLS: its handshake is done
  bool paused_ = false;
  std::unique_ptr<Tls> tls_;
  std::string received_;
  std::string unsent_;
  std::unique_ptr<Timer> failure_;  // tells, in a later turn, that it could not be opened
};

}  // namespace bench
