#include "engine/net/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/core/http_token.h"

namespace signalbox::net {
namespace {

// In bytes. The loop does nothing else while it codes, which takes about 20 ms for a megabyte:
// hence a largest body, and the fastest level.
constexpr size_t kSmallest = 1024;
constexpr size_t kLargest = 262144;
constexpr int kLevel = Z_BEST_SPEED;
constexpr int kGzipWindow = 15 + 16;  // the largest, and gzip instead of zlib around it
constexpr int kMemoryLevel = 8;       // zlib's default

// Removes and gives what stands before the next separator.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return without_ows(piece);
}

// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), and more than nothing.
bool positive_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return false;
  if (text.size() > 1 && text[1] != '.') return false;
  bool positive = text[0] == '1';
  for (const char digit : text.substr(std::min<size_t>(text.size(), 2))) {
    if (digit < '0' || digit > (text[0] == '1' ? '0' : '9')) return false;
    positive = positive || digit != '0';
  }
  return positive;
}

// What stands behind a coding: nothing, or its weight.
bool wanted(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take(parameters, ';');
    if (same_http_word(take(parameter, '='), "q")) return positive_weight(without_ows(parameter));
  }
  return true;
}

std::optional<std::string> gzip(std::string_view plain) {
  std::string coded(plain.size(), '\0');  // more is no use to us; first, since it may throw
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return std::nullopt;
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(coded.data());
  stream.avail_out = static_cast<uInt>(coded.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  coded.resize(coded.size() - stream.avail_out);
  deflateEnd(&stream);
  if (!done) return std::nullopt;
  return coded;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> any;
  while (!accept_encoding.empty()) {
    std::string_view parameters = take(accept_encoding, ',');
    const std::string_view coding = take(parameters, ';');
    if (same_http_word(coding, "gzip") || same_http_word(coding, "x-gzip"))
      return wanted(parameters);
    if (coding == "*") any = wanted(parameters);
  }
  return any.value_or(false);
}

void gzip_body(Response& response) {
  if (response.body.size() < kSmallest || response.body.size() > kLargest) return;
  auto coded = gzip(response.body);
  if (!coded) return;
  response.body = std::move(*coded);
  response.headers += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
}

}  // namespace signalbox::net
