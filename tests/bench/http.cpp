#include "tests/bench/http.h"

#include <strings.h>

#include <charconv>

namespace bench {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";

std::string head(std::string_view method, std::string_view target, std::string_view address) {
  std::string text;
  text.reserve(256);
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  if (!address.empty()) text.append("X-Forwarded-For: ").append(address).append("\r\n");
  return text;
}

std::string_view header(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    if (head.size() <= at + name.size() || head[at + name.size()] != ':') continue;
    if (strncasecmp(head.data() + at, name.data(), name.size()) != 0) continue;
    std::string_view value = head.substr(at + name.size() + 1);
    value = value.substr(0, value.find("\r\n"));
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string get_request(std::string_view target, std::string_view address) {
  return head("GET", target, address) + "\r\n";
}

std::string post_request(std::string_view target, std::string_view address, std::string_view type,
                         std::string_view body) {
  std::string text = head("POST", target, address);
  text.append("Content-Type: ").append(type).append("\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append(kEnd).append(body);
  return text;
}

std::string web_socket_request(std::string_view target, std::string_view address) {
  return head("GET", target, address) +
         "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

std::optional<HttpResponse> parse_response(std::string_view bytes) {
  const size_t end = bytes.find(kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  HttpResponse response;
  const std::string_view head = bytes.substr(0, end + 2);
  response.size = end + kEnd.size();
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) return response;
  response.status = number<int>(head.substr(9, 3));
  const size_t length = number<size_t>(header(head, "Content-Length"));
  if (bytes.size() < response.size + length) return std::nullopt;
  response.body = bytes.substr(response.size, length);
  response.size += length;
  response.last = header(head, "Connection") == "close";
  return response;
}

}  // namespace bench
