// Where Redis is and how to log in, read from the option redis.url:
//
//   redis://[[user]:password@]host[:port][/db]     host may be a name, an IPv4 address or [IPv6]
//   rediss://...                                   the same, with TLS
//   unix:///path[?db=n]
//
// Thread: a value; no sharing.
#pragma once

#include <string>
#include <string_view>

#include "engine/core/status.h"

namespace signalbox::store {

struct RedisUrl {
  bool is_unix = false;
  bool tls = false;
  std::string host;  // of a unix socket its path
  int port = 0;      // of a unix socket 0
  std::string user;
  std::string password;  // percent-decoded; empty: do not log in
  int db = 0;
};

// kInvalid with a text that says what is wrong and never repeats the password; `out` is then
// unspecified.
Status parse_redis_url(std::string_view text, RedisUrl& out);

// host, host:port, [IPv6], [IPv6]:port. Sets host and port of `out`, and nothing else.
Status parse_redis_address(std::string_view text, int default_port, RedisUrl& out);

}  // namespace signalbox::store
