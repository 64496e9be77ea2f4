// What the net floor reads of a request by itself: the session in its first line, a body in chunks,
// the headers that decide about gzip and about origins.
#include <string>

#include "engine/core/http_token.h"
#include "engine/net/chunked_decoder.h"
#include "engine/net/gzip.h"
#include "engine/net/origin_policy.h"
#include "engine/net/request_line.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox;

namespace {

using Result = net::ChunkedDecoder::Result;

constexpr size_t kRounds = 40;

// The last "sid" of the query, read field by field.
std::string_view last_session(std::string_view line, std::string_view path) {
  fuzz::take_until(line, ' ');
  std::string_view target = fuzz::take_until(line, ' ');
  if (!target.starts_with(path)) return {};
  fuzz::take_until(target, '?');
  std::string_view id;
  while (!target.empty()) {
    const std::string_view field = fuzz::take_until(target, '&');
    if (field.starts_with("sid=")) id = field.substr(4);
  }
  return id;
}

void check_line(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  CHECK(net::session_in(line, "/s") == last_session(line, "/s"));
}

// However a body is cut into pieces, it is the same body. It is fed again and again, until what
// carries no data is too much.
void check_chunks(std::string_view bytes) {
  net::ChunkedDecoder whole;
  net::ChunkedDecoder piecewise;
  std::string body;
  std::string pieces;
  Result result = Result::kMore;
  for (size_t round = 1; round <= kRounds && result == Result::kMore; ++round) {
    result = whole.feed(bytes, body);
    Result so_far = Result::kMore;
    for (size_t at = 0; at < bytes.size() && so_far == Result::kMore; ++at) {
      so_far = piecewise.feed(bytes.substr(at, 1), pieces);
    }
    CHECK(so_far == result && pieces == body && body.size() <= round * bytes.size());
  }
}

// No origin gets into a header that is none, or that could end it.
void check_origin(std::string_view text) {
  const net::OriginPolicy policy({"https://example.org", "https://slash.example/"});
  const bool own = text == "https://example.org" || text == "https://slash.example";
  CHECK(policy.allows(text, "") == (own || text.empty()));
  const std::string headers = policy.headers(text, "", {});
  CHECK((headers.find("Allow-Origin") != std::string::npos) == own);
  const net::OriginPolicy any({"*"});
  CHECK(any.headers(text, text, "GET") == any.headers("", "", "GET"));
  if (policy.allows(text, "h")) {
    for (const char c : text) CHECK(c > ' ' && c < '\x7f');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_line(text);
  check_chunks(text);
  check_origin(text);
  if (net::accepts_gzip(text)) {
    CHECK(text.find_first_of("gG*") != std::string_view::npos);
  }
  if (is_http_token(text)) CHECK(text.find_first_of(" \t\r\n:\",;") == std::string_view::npos);
  return 0;
}
