#include "engine/store/redis_url.h"

#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/store/redis_tls.h"

namespace signalbox::store {
namespace {

constexpr int kDefaultPort = 6379;
constexpr int kMaxPort = 65535;
constexpr int kMaxDb = 1'000'000;
constexpr size_t kMaxHost = 255;

Status invalid(std::string_view what) {
  return {ErrorCode::kInvalid, std::string(what)};
}

std::optional<int> parse_number(std::string_view text, int maximum) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < 0 || number > maximum) return std::nullopt;
  return number;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() != 2 || error != std::errc() || stop != end) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

Status parse_db(std::string_view text, RedisUrl& out) {
  const auto db = parse_number(text, kMaxDb);
  if (!db) return invalid("the database must be a number of 0 to 1000000");
  out.db = *db;
  return {};
}

Status parse_login(std::string_view login, RedisUrl& out) {
  const size_t colon = login.find(':');
  if (colon == std::string_view::npos || colon + 1 == login.size()) {
    return invalid("a login is written user:password@ or :password@");
  }
  const auto user = percent_decode(login.substr(0, colon));
  const auto password = percent_decode(login.substr(colon + 1));
  if (!user || !password) return invalid("a '%' in the login must begin a %XX escape");
  out.user = *user;
  out.password = *password;
  return {};
}

Status parse_tcp(std::string_view text, RedisUrl& out) {
  const size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  // A '@' belongs to the password as well; the last one ends it.
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    if (Status status = parse_login(authority.substr(0, at), out); !status.ok()) return status;
    authority = authority.substr(at + 1);
  }
  if (Status status = parse_redis_address(authority, kDefaultPort, out); !status.ok())
    return status;
  if (slash == std::string_view::npos || slash + 1 == text.size()) return {};
  return parse_db(text.substr(slash + 1), out);
}

Status parse_unix(std::string_view text, RedisUrl& out) {
  const size_t question = text.find('?');
  const auto path = percent_decode(text.substr(0, question));
  if (!path || !path->starts_with('/') || path->find('\0') != std::string::npos) {
    return invalid("a socket is written unix:///path/to/socket");
  }
  // hiredis would cut a longer path off and connect to whatever is there.
  if (path->size() >= sizeof(sockaddr_un::sun_path)) {
    return invalid("the path of the socket is longer than the system allows");
  }
  out.is_unix = true;
  out.host = *path;
  if (question == std::string_view::npos) return {};
  const std::string_view query = text.substr(question + 1);
  if (!query.starts_with("db=")) return invalid("after '?' only db=<number> may follow");
  return parse_db(query.substr(3), out);
}

}  // namespace

Status parse_redis_address(std::string_view address, int default_port, RedisUrl& out) {
  std::string_view host;
  std::string_view rest;
  if (address.starts_with('[')) {
    const size_t close = address.find(']');
    if (close == std::string_view::npos) return invalid("the ']' of an IPv6 address is missing");
    host = address.substr(1, close - 1);
    rest = address.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return invalid("after ']' only :port may follow");
  } else {
    host = address.substr(0, address.find(':'));
    rest = address.substr(host.size());
  }
  if (host.empty()) return invalid("the host is missing");
  if (host.find_first_of("?#/@") != std::string_view::npos) {
    return invalid("the host holds one of ?#/@");
  }
  if (host.size() > kMaxHost) return invalid("the host is longer than 255 characters");
  out.host = host;
  out.port = default_port;
  if (rest.empty()) return {};
  const auto port = parse_number(rest.substr(1), kMaxPort);
  if (!port || *port == 0) {
    return invalid("the port must be a number of 1 to 65535 (an IPv6 address stands in brackets)");
  }
  out.port = *port;
  return {};
}

Status parse_redis_url(std::string_view text, RedisUrl& out) {
  constexpr std::string_view kTcp = "redis://";
  constexpr std::string_view kTls = "rediss://";
  constexpr std::string_view kUnix = "unix://";
  const auto unprintable = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte == 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), unprintable)) {
    return invalid("spaces and control characters must be written as %XX");
  }
  if (text.starts_with(kTls)) {
    if (!RedisTls::kBuilt) {
      return invalid(
          "rediss:// (TLS) needs hiredis 1.0 or later, which this build has not; use redis:// "
          "through a local TLS proxy such as stunnel");
    }
    out.tls = true;
    return parse_tcp(text.substr(kTls.size()), out);
  }
  if (text.starts_with(kTcp)) return parse_tcp(text.substr(kTcp.size()), out);
  if (text.starts_with(kUnix)) return parse_unix(text.substr(kUnix.size()), out);
  return invalid("must begin with redis://, rediss:// or unix://");
}

}  // namespace signalbox::store
