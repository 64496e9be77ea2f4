#include "tests/lib/redis_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <utility>

namespace signalbox::test {
namespace {

std::string make_directory() {
  char path[] = "/tmp/signalbox-redis-XXXXXX";
  if (mkdtemp(path) == nullptr) throw std::runtime_error("mkdtemp");
  return path;
}

// Two tests that run side by side must not both find a port free before one of them listens: who
// holds this abstract name (unix(7)) until its process ends has the port to itself. As
// tests/lib/ports.mjs.
bool reserve(int port) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = "signalbox-port-" + std::to_string(port);
  name.copy(address.sun_path + 1, name.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0) return true;
  close(fd);
  return false;
}

}  // namespace

RedisProcess::RedisProcess() : directory_(make_directory()) {}

RedisProcess::~RedisProcess() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RedisProcess::run(const std::vector<std::string>& arguments, const std::string& ready) {
  std::vector<std::string> command = {"redis-server"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);  // it died before the line above
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  output_ = ends[0];
  if (pid_ < 0) throw std::runtime_error("fork");
  wait_until_ready(ready);
}

void RedisProcess::wait_until_ready(const std::string& ready) {
  std::string printed;
  char buffer[4096];
  while (printed.find(ready) == std::string::npos) {
    const ssize_t got = read(output_, buffer, sizeof(buffer));
    if (got <= 0) throw std::runtime_error("redis-server did not start: " + printed);
    printed.append(buffer, static_cast<size_t>(got));
  }
}

void RedisProcess::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  if (output_ >= 0) close(std::exchange(output_, -1));
}

void RedisProcess::pause() {
  ::kill(pid_, SIGSTOP);
  waitpid(pid_, nullptr, WUNTRACED);
}

void RedisProcess::resume() {
  ::kill(pid_, SIGCONT);
}

RedisServer::RedisServer(std::vector<std::string> arguments)
    : arguments_(std::move(arguments)), socket_path_(directory() + "/redis.sock") {
  start();
}

void RedisServer::start() {
  std::vector<std::string> arguments = {"--port", "0",         "--unixsocket", socket_path_,
                                        "--save", "",          "--appendonly", "no",
                                        "--dir",  directory(), "--daemonize",  "no"};
  arguments.insert(arguments.end(), arguments_.begin(), arguments_.end());
  run(arguments, "eady to accept connections");
}

RedisSentinel::RedisSentinel(const std::vector<std::string>& configuration) : port_(free_port()) {
  std::ofstream file(directory() + "/sentinel.conf");
  file << "port " << port_ << "\nbind 127.0.0.1\ndir " << directory() << "\n";
  for (const std::string& line : configuration) file << line << "\n";
  file.close();
  start();
}

void RedisSentinel::start() {
  run({directory() + "/sentinel.conf", "--sentinel"}, "+monitor master");
}

// Below those that the system gives to connections: whoever is stopped finds its port free again.
int free_port() {
  constexpr int kAttempts = 100;
  std::random_device random;
  std::uniform_int_distribution<int> any(10000, 29999);
  for (int i = 0; i < kAttempts; ++i) {
    const int port = any(random);
    if (!reserve(port)) continue;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(fd);
    if (bound) return port;
  }
  throw std::runtime_error("no free port");
}

}  // namespace signalbox::test
