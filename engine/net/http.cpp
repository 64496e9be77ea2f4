#include "engine/net/http.h"

namespace signalbox::net {

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (auto at = query.rbegin(); at != query.rend(); ++at) {
    if (at->first == name) return at->second;
  }
  return std::nullopt;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 411:
      return "Length Required";
    case 413:
      return "Payload Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

std::string serialize(const Response& response, Method method, bool keep_alive,
                      std::string_view cors) {
  std::string out;
  out.reserve(256 + cors.size() + response.headers.size() + response.body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  if (!response.body.empty()) {
    out += "Content-Type: ";
    out += response.content_type;
    out += "\r\n";
  }
  // RFC 9110, 8.6: a 204 has no Content-Length.
  if (response.status != 204) {
    out += "Content-Length: ";
    out += std::to_string(response.body.size());
    out += "\r\n";
  }
  out += "Connection: ";
  out += keep_alive && !response.close ? "keep-alive" : "close";
  out += "\r\n";
  out += cors;
  out += response.headers;
  out += "\r\n";
  if (method != Method::kHead) out += response.body;
  return out;
}

}  // namespace signalbox::net
