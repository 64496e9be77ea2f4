// Looks a host name up without stopping the loop.
//
// Thread: the loop's; the look-up itself runs on a thread of libuv's pool.
// Owner: whoever waits. Destroying it, also inside its callback, forgets the look-up. The system
//   cannot be interrupted in one: the destructor of a Loop waits until it has ended.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/core/loop.h"

namespace signalbox {

// Whether `host` is an IPv4 or IPv6 address, which needs no look-up.
bool is_numeric_address(const std::string& host);

class Resolver {
 public:
  // Numeric addresses in the system's order of preference; none when `error` says why.
  using Callback =
      std::function<void(std::vector<std::string> addresses, const std::string& error)>;

  explicit Resolver(Loop& loop) : loop_(loop) {}
  ~Resolver() { forget(); }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Calls back once, in a later turn. A look-up that is under way is forgotten.
  void resolve(const std::string& host, Callback callback);

  // Makes sure that the callback is not called any more.
  void forget();

 private:
  struct Request;
  Loop& loop_;
  Request* request_ = nullptr;
};

}  // namespace signalbox
