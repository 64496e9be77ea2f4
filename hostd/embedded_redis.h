// A private redis-server for a hostd that was given no Redis: on a unix socket in a directory of
// its own, without persistence. It ends with hostd, however hostd ends.
//
// Thread: the main thread, which must live as long as the process: the kernel ends the server when
// the
//   thread that started it ends.
// Owner: main. Destroying it ends the server and removes the directory.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "hostd/descriptor.h"

namespace hostd {

class EmbeddedRedis {
 public:
  // Starts the server and returns when it answers. Throws std::runtime_error when it is not
  // installed, ends, or does not answer within 5 seconds.
  EmbeddedRedis();
  ~EmbeddedRedis();
  EmbeddedRedis(const EmbeddedRedis&) = delete;
  EmbeddedRedis& operator=(const EmbeddedRedis&) = delete;

  // For the option redis.url.
  std::string url() const;

  // A descriptor that becomes readable when the server has ended.
  int end() const { return process_.get(); }

 private:
  void spawn();
  void wait_until_it_answers() const;
  void finish();

  std::filesystem::path directory_;
  pid_t pid_ = -1;
  Descriptor process_;  // a pidfd
};

}  // namespace hostd
