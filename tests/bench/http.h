// HTTP/1.1, as much as the server answers with: each response has a Content-Length or no body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bench {

// A whole request. `address` is the client's that a proxy would tell (X-Forwarded-For); with a
// `body` it is a POST of `type`.
std::string get_request(std::string_view target, std::string_view address);
std::string post_request(std::string_view target, std::string_view address, std::string_view type,
                         std::string_view body);
std::string web_socket_request(std::string_view target, std::string_view address);

struct HttpResponse {
  int status = 0;
  std::string_view body;
  size_t size = 0;    // of all of it
  bool last = false;  // the server closes the connection behind it
};

// The response that `bytes` begin with, once it is whole. What is no HTTP has status 0.
std::optional<HttpResponse> parse_response(std::string_view bytes);

}  // namespace bench
