#include "hostd/embedded_redis.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace hostd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kSocket = "redis.sock";
constexpr std::string_view kLog = "redis.log";
constexpr milliseconds kStartTimeout(5000);
constexpr milliseconds kEndTimeout(1000);
constexpr milliseconds kRetry(
    5);  // between attempts to connect: the socket appears without an event

[[noreturn]] void refuse(const std::string& what) {
  throw std::runtime_error("embedded Redis: " + what +
                           " (an existing one can be named with --redis.url)");
}

[[noreturn]] void refuse_errno(const char* call) {
  refuse(std::string(call) + ": " + std::strerror(errno));
}

// True when `process` ended within `timeout`.
bool ends_within(int process, milliseconds timeout) {
  pollfd ended{process, POLLIN, 0};
  return poll(&ended, 1, static_cast<int>(timeout.count())) > 0;
}

// True when a server behind the socket answers a PING within `timeout`.
bool answers(const std::filesystem::path& socket_path, milliseconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return false;
  constexpr std::string_view kPing = "PING\r\n";
  if (send(socket.get(), kPing.data(), kPing.size(), MSG_NOSIGNAL) < 0) return false;
  pollfd readable{socket.get(), POLLIN, 0};
  if (poll(&readable, 1, static_cast<int>(timeout.count())) <= 0) return false;
  char first = 0;
  return recv(socket.get(), &first, 1, 0) == 1 && first == '+';
}

// In the child: becomes redis-server, or returns with errno. `parent` is who forked it.
void become_redis(const std::filesystem::path& directory, pid_t parent) {
  // The kernel keeps this over exec. The parent may have ended before it was set.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (getppid() != parent) _exit(1);
  // A Ctrl-C at the terminal is for hostd, which still needs Redis to clean up.
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  // Nothing of ours is its, such as a socket to listen on that was passed to us.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);

  const int log = open((directory / kLog).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int null = open("/dev/null", O_RDONLY);
  if (log < 0 || null < 0) return;
  if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) return;

  const std::string socket = directory / kSocket;
  const std::array<const char*, 20> arguments = {"redis-server",
                                                 "--port",
                                                 "0",
                                                 "--unixsocket",
                                                 socket.c_str(),
                                                 "--unixsocketperm",
                                                 "700",
                                                 "--dir",
                                                 directory.c_str(),
                                                 "--save",
                                                 "",
                                                 "--appendonly",
                                                 "no",
                                                 "--maxmemory-policy",
                                                 "noeviction",
                                                 "--daemonize",
                                                 "no",
                                                 "--loglevel",
                                                 "warning",
                                                 nullptr};
  execvp(arguments[0], const_cast<char* const*>(arguments.data()));
}

}  // namespace

EmbeddedRedis::EmbeddedRedis() {
  std::string name = std::filesystem::temp_directory_path() / "signalbox-XXXXXX";
  if (name.size() + 1 + kSocket.size() >= sizeof(sockaddr_un::sun_path)) {
    refuse("the directory " + name + " has too long a name for a socket in it; set TMPDIR");
  }
  if (mkdtemp(name.data()) == nullptr) refuse_errno("mkdtemp");
  directory_ = name;
  try {
    spawn();
    wait_until_it_answers();
  } catch (...) {
    finish();
    throw;
  }
}

EmbeddedRedis::~EmbeddedRedis() {
  finish();
}

std::string EmbeddedRedis::url() const {
  return "unix://" + (directory_ / kSocket).native();
}

void EmbeddedRedis::spawn() {
  // Closed by a successful exec; until then it carries the errno of what failed.
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) refuse_errno("pipe");
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) refuse_errno("fork");
  if (pid_ == 0) {
    become_redis(directory_, parent);
    const int reason = errno;
    [[maybe_unused]] ssize_t size = write(writing.get(), &reason, sizeof reason);
    _exit(127);
  }
  writing = Descriptor();
  // By number: in glibc 2.36 <sys/pidfd.h> cannot be used from C++.
  process_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_.valid()) refuse_errno("pidfd_open");

  int reason = 0;
  if (read(reading.get(), &reason, sizeof reason) == sizeof reason) {
    if (reason == ENOENT) refuse("redis-server is not installed (apt-get install redis-server)");
    refuse(std::string("starting redis-server: ") + std::strerror(reason));
  }
}

void EmbeddedRedis::wait_until_it_answers() const {
  const auto deadline = steady_clock::now() + kStartTimeout;
  while (!answers(directory_ / kSocket, kStartTimeout)) {
    if (ends_within(process_.get(), kRetry)) {
      std::ifstream log(directory_ / kLog);
      std::string line;
      std::string last;
      while (std::getline(log, line)) {
        if (!line.empty()) last = line;
      }
      refuse("redis-server ended at once: " + last);
    }
    if (steady_clock::now() > deadline) refuse("redis-server does not answer");
  }
}

void EmbeddedRedis::finish() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    if (!process_.valid() || !ends_within(process_.get(), kEndTimeout)) kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
  std::error_code ignored;  // the directory may be gone already
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace hostd
