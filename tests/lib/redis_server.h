// A real redis-server for one test program: on a unix socket in a directory of its own, without
// persistence, ended with the object and, whatever happens to the program, with the program.
//
// Thread: the main one, because the server dies with the thread that started it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace signalbox::test {

class RedisServer {
 public:
  // Starts it with `arguments` added to its command line. Throws std::runtime_error with what the
  // server printed when it does not come up.
  explicit RedisServer(std::vector<std::string> arguments = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // Starts it again, empty, on the same socket. Only after kill().
  void start();
  // Ends it at once, without a chance to say goodbye, and waits until it is gone.
  void kill();
  // Stops it from running, waits until that is so; its sockets stay open. resume() undoes it.
  void pause();
  void resume();

  const std::string& socket_path() const { return socket_path_; }
  std::string url() const { return "unix://" + socket_path_; }

 private:
  void wait_until_ready();

  std::vector<std::string> arguments_;
  std::string directory_;
  std::string socket_path_;
  pid_t pid_ = -1;
  int output_ = -1;  // what the server prints
};

// A TCP port of 127.0.0.1 that nothing listens on just now.
int free_port();

}  // namespace signalbox::test
