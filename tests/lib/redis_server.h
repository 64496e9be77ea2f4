// A real redis-server for one test program: on a unix socket in a directory of its own, without
// persistence, ended with the object and, whatever happens to the program, with the program. Also
// as a sentinel.
//
// Thread: the main one, because the server dies with the thread that started it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace signalbox::test {

// The program redis-server, as one or the other of what it can be.
class RedisProcess {
 public:
  virtual ~RedisProcess();
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  // Starts it again after kill(). Throws std::runtime_error with what it printed when it does not
  // come up.
  virtual void start() = 0;
  // Ends it at once, without a chance to say goodbye, and waits until it is gone.
  void kill();
  // Stops it from running, waits until that is so; its sockets stay open. resume() undoes it.
  void pause();
  void resume();

 protected:
  RedisProcess();
  // Returns when it has printed `ready`.
  void run(const std::vector<std::string>& arguments, const std::string& ready);
  const std::string& directory() const { return directory_; }

 private:
  void wait_until_ready(const std::string& ready);

  std::string directory_;
  pid_t pid_ = -1;
  int output_ = -1;  // what it prints
};

class RedisServer final : public RedisProcess {
 public:
  // Starts it with `arguments` added to its command line.
  explicit RedisServer(std::vector<std::string> arguments = {});

  // Empty, and on the same socket.
  void start() override;

  const std::string& socket_path() const { return socket_path_; }
  std::string url() const { return "unix://" + socket_path_; }

 private:
  const std::vector<std::string> arguments_;
  const std::string socket_path_;
};

// Watches a Redis on a port of 127.0.0.1.
class RedisSentinel final : public RedisProcess {
 public:
  // Starts it with the lines of `configuration` in its file.
  explicit RedisSentinel(const std::vector<std::string>& configuration);

  // With what it has learnt.
  void start() override;

  int port() const { return port_; }

 private:
  const int port_;
};

// A TCP port of 127.0.0.1 that nothing listens on just now.
int free_port();

}  // namespace signalbox::test
