#include "engine/net/request_head.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/core/http_token.h"
#include "engine/net/misread_names.h"

namespace signalbox::net {
namespace {

constexpr const char* kBad = "Bad request";

// Characters that a target cannot have: libwebsockets would end it there.
bool ends_target(char c) {
  return c >= 0 && (c <= ' ' || c == 0x7f);
}

// libwebsockets decodes these. A line break it then takes for the end of the request line; a NUL
// ends the text for whoever reads it as C does (4.1 refuses that one itself).
bool has_encoded_end(std::string_view target) {
  for (size_t at = target.find('%'); at != std::string_view::npos; at = target.find('%', at + 1)) {
    const std::string_view code = target.substr(at + 1, 2);
    if (code == "00" || same_http_word(code, "0a") || same_http_word(code, "0d")) return true;
  }
  return false;
}

}  // namespace

RequestHead::State RequestHead::refuse(int status, const char* error) {
  status_ = status;
  error_ = error;
  return State::kRefused;
}

RequestHead::State RequestHead::read(std::string_view bytes, const Limits& limits) {
  // What begins like no request, as a TLS handshake does, need not go on.
  if (at_ == 0 && !bytes.empty() && !is_http_token(bytes.substr(0, 1))) return refuse(400, kBad);
  while (true) {
    const size_t end = bytes.find('\n', searched_);
    searched_ = end == std::string_view::npos ? bytes.size() : end + 1;
    if (searched_ > limits.bytes) {
      return at_ == 0 ? refuse(414, "URI too long") : refuse(431, "Request header too large");
    }
    if (end == std::string_view::npos) return State::kMore;
    std::string_view line = bytes.substr(at_, end - at_);
    if (!line.ends_with('\r')) return refuse(400, kBad);
    line.remove_suffix(1);
    const bool first = at_ == 0;
    at_ = end + 1;
    if (line.find('\r') != std::string_view::npos || line.find('\0') != std::string_view::npos) {
      return refuse(400, kBad);
    }
    if (first) {
      line_size_ = line.size();
      if (!take_request_line(line)) return State::kRefused;
    } else if (line.empty()) {
      return finish();
    } else if (++lines_ > limits.lines) {
      return refuse(431, "Too many request headers");
    } else if (!take_header(line)) {
      return State::kRefused;
    }
  }
}

RequestHead::State RequestHead::finish() {
  if (!has_host_ && !version_1_0_) return refuse(400, kBad);
  // Both at once is how requests are smuggled past a proxy (RFC 9112, 6.1).
  if (chunked_ && (has_length_ || version_1_0_)) return refuse(400, kBad);
  return State::kWhole;
}

bool RequestHead::take_request_line(std::string_view line) {
  const auto bad = [this](int status, const char* error) {
    refuse(status, error);
    return false;
  };
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return bad(400, kBad);
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_http_token(method) || target.empty() ||
      std::any_of(target.begin(), target.end(), ends_target) || has_encoded_end(target)) {
    return bad(400, kBad);
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return version.starts_with("HTTP/") ? bad(505, "HTTP version not supported") : bad(400, kBad);
  }
  version_1_0_ = version == "HTTP/1.0";
  presumes_body_ = method == "POST" || method == "PUT" || method == "PATCH";
  const bool known = presumes_body_ || method == "GET" || method == "HEAD" || method == "OPTIONS" ||
                     method == "DELETE";
  return known || bad(501, "Method not implemented");
}

bool RequestHead::take_header(std::string_view line) {
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  // No colon, a space before it, and a line that continues the one before are all refused here.
  if (colon == std::string_view::npos || !is_http_token(name)) {
    refuse(400, kBad);
    return false;
  }
  if (!misread_as(name).empty()) {
    refuse(400, "Header name not supported");
    return false;
  }
  if (take_known(name, without_ows(line.substr(colon + 1)))) return true;
  refuse(400, kBad);
  return false;
}

bool RequestHead::take_known(std::string_view name, std::string_view value) {
  if (same_http_word(name, "host")) {
    return !std::exchange(has_host_, true);
  }
  if (same_http_word(name, "content-length")) {
    // Digits and nothing else: no sign, no list. More of them than this would not be a length.
    constexpr size_t kMostDigits = 19;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, length_);
    return !std::exchange(has_length_, true) && parsed.ec == std::errc() && parsed.ptr == end &&
           value.size() <= kMostDigits;
  }
  if (same_http_word(name, "transfer-encoding")) {
    return !std::exchange(chunked_, true) && same_http_word(value, "chunked");
  }
  if (same_http_word(name, "upgrade")) upgrades_ = true;
  return true;
}

}  // namespace signalbox::net
