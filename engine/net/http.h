// What an HTTP request says and what is answered, apart from any connection.
//
// Thread: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/net/client_address.h"

namespace signalbox::net {

enum class Method { kGet, kHead, kPost, kOptions, kOther };

struct Request {
  Method method = Method::kOther;
  std::string path;                                        // percent-decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;  // in order, decoded
  std::string host;
  std::string origin;  // empty: no Origin header
  std::string content_type;
  Address client;  // behind the trusted proxies
  bool keep_alive = false;
  std::string body;

  // The last query parameter of that name, or nothing.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body = {};
  std::string headers = {};  // further header lines, each ended by CRLF
  bool close = false;        // end the connection behind it
};

// The reason phrase of a status code that we use.
std::string_view reason_phrase(int status);

// The whole answer as HTTP/1.1 bytes. `cors` are header lines; a HEAD request gets no body.
std::string serialize(const Response& response, Method method, bool keep_alive,
                      std::string_view cors);

}  // namespace signalbox::net
