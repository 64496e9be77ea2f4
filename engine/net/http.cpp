#include "engine/net/http.h"

namespace signalbox::net {

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (auto at = query.rbegin(); at != query.rend(); ++at) {
    if (at->first == name) return at->second;
  }
  return std::nullopt;
}

const char* method_name(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kOther:
      break;
  }
  return "";
}

std::string error_body(std::string_view text) {
  return "{\"error\":\"" + std::string(text) + "\"}";
}

Response too_many_requests(int64_t retry_after_s) {
  const std::string seconds = std::to_string(retry_after_s);
  return {.status = 429,
          .body = error_body("Rate limit exceeded. Try again in " + seconds + "s."),
          .headers = "Retry-After: " + seconds + "\r\n"};
}

std::string serialize(const Response& response, Method method, bool keep_alive,
                      std::string_view cors) {
  // Whatever the handler gave: RFC 9110, 15.3.5, 15.3.6 and 15.4.5.
  const int status = response.status;
  const bool bodiless = status == 204 || status == 205 || status == 304;
  const std::string_view body = bodiless ? std::string_view() : response.body;
  std::string out;
  out.reserve(256 + cors.size() + response.headers.size() + body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(status);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
  if (!body.empty() && !response.content_type.empty()) {
    out += "Content-Type: ";
    out += response.content_type;
    // What clients have sent is in many a body: no browser may take it for a page or a program.
    out += "\r\nX-Content-Type-Options: nosniff\r\n";
  }
  // RFC 9110, 8.6: a 204 has none; that of a 304 would tell of another answer's body.
  if (status != 204 && status != 304) {
    out += "Content-Length: ";
    out += std::to_string(body.size());
    out += "\r\n";
  }
  out += "Connection: ";
  out += keep_alive && !response.close ? "keep-alive" : "close";
  out += "\r\n";
  out += cors;
  out += response.headers;
  out += "\r\n";
  if (method != Method::kHead) out += body;
  return out;
}

}  // namespace signalbox::net
