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

// kOther does not get as far as a handler.
enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

// "GET"; lives as long as the program.
const char* method_name(Method method);

// Names and values.
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  Method method = Method::kOther;
  std::string path;  // percent-decoded, without the query; holds no NUL
  Fields query;      // in order, decoded
  std::string host;
  std::string origin;  // empty: no Origin header
  std::string content_type;
  Address client;         // behind the trusted proxies
  bool of_proxy = false;  // that is one of these: it did not say for whom it asks
  bool keep_alive = false;
  bool accepts_gzip = false;
  // Filled only where Server::keep_headers() asks for it. Names are in small letters, values
  // without white space around them, which need not be UTF-8. The lines of a header that
  // libwebsockets knows are joined by ", " (cookies by "; "); of one that option http.headers names
  // the first counts.
  Fields headers;
  std::string body;

  // The last query parameter of that name, or nothing.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";  // empty: no such header
  std::string body = {};
  std::string headers = {};  // further header lines, each ended by CRLF
  bool close = false;        // end the connection behind it
  bool compress = false;     // gzip the body if the client takes that and it is worth it
};

// 429, in the form of the HTTP API, to a client that may ask again after so many seconds.
Response too_many_requests(int64_t retry_after_s);

// The reason phrase of a registered status code from 200 to 599; "Unknown" of another.
std::string_view reason_phrase(int status);

// The body of an answer that this floor gives by itself: {"error":"<text>"}. `text` needs no
// escapes.
std::string error_body(std::string_view text);

// The whole answer as HTTP/1.1 bytes. `cors` are header lines. A HEAD request gets no body, nor
// does a status that must not have one (204, 205, 304).
std::string serialize(const Response& response, Method method, bool keep_alive,
                      std::string_view cors);

}  // namespace signalbox::net
