#include "engine/net/lws_request.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "engine/net/gzip.h"

namespace signalbox::net {
namespace {

// libwebsockets reads the length into a small buffer; what leading zeros push out of it is lost to
// it.
constexpr size_t kMaxLengthDigits = 19;

Method method_of(int lws_method) {
  switch (lws_method) {
    case LWSHUMETH_GET:
      return Method::kGet;
    case LWSHUMETH_HEAD:
      return Method::kHead;
    case LWSHUMETH_POST:
      return Method::kPost;
    case LWSHUMETH_PUT:
      return Method::kPut;
    case LWSHUMETH_PATCH:
      return Method::kPatch;
    case LWSHUMETH_DELETE:
      return Method::kDelete;
    case LWSHUMETH_OPTIONS:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

Fields read_query(struct lws* wsi) {
  Fields query;
  for (int i = 0;; ++i) {
    auto text = header_fragment(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
    if (!text) return query;
    const size_t equals = text->find('=');
    if (equals == std::string::npos) {
      query.emplace_back(std::move(*text), "");
    } else {
      query.emplace_back(text->substr(0, equals), text->substr(equals + 1));
    }
  }
}

struct Target {
  int method = 0;  // LWSHUMETH_...
  std::string_view path;
  bool whole = false;
};

// libwebsockets cuts a path at '&' and ';' and writes a NUL there, but the length that it gives
// counts all pieces: behind the NUL there may be what an earlier request left in this memory.
Target read_target(struct lws* wsi) {
  char* path = nullptr;
  int length = 0;
  Target target;
  target.method = lws_http_get_uri_and_method(wsi, &path, &length);
  const std::string_view stored(path, path != nullptr ? static_cast<size_t>(length) : 0);
  target.path = stored.substr(0, stored.find('\0'));
  target.whole = target.path.size() == stored.size();
  return target;
}

// The rule that libwebsockets decides by too, so that our Connection header says what will happen.
bool wants_keep_alive(struct lws* wsi) {
  const std::string connection = header(wsi, WSI_TOKEN_CONNECTION);
  if (strcasecmp(connection.c_str(), "keep-alive") == 0) return true;
  if (strcasecmp(connection.c_str(), "close") == 0) return false;
  return header(wsi, WSI_TOKEN_HTTP) == "HTTP/1.1";
}

}  // namespace

std::string header(struct lws* wsi, enum lws_token_indexes token) {
  const int length = lws_hdr_total_length(wsi, token);
  if (length <= 0) return {};
  std::string text(static_cast<size_t>(length) + 1, '\0');
  const int copied = lws_hdr_copy(wsi, text.data(), static_cast<int>(text.size()), token);
  text.resize(copied > 0 ? static_cast<size_t>(copied) : 0);
  return text;
}

std::optional<std::string> header_fragment(struct lws* wsi, enum lws_token_indexes token,
                                           int index) {
  const int length = lws_hdr_fragment_length(wsi, token, index);
  std::string text(static_cast<size_t>(std::max(length, 0)) + 1, '\0');
  // An empty fragment ("&&") has no length either; only this tells it from the end.
  const int copied =
      lws_hdr_copy_fragment(wsi, text.data(), static_cast<int>(text.size()), token, index);
  if (copied < 0) return std::nullopt;
  text.resize(static_cast<size_t>(copied));
  return text;
}

std::optional<std::string> custom_header(struct lws* wsi, const char* name) {
  const int name_length = static_cast<int>(std::char_traits<char>::length(name));
  const int length = lws_hdr_custom_length(wsi, name, name_length);
  if (length < 0) return std::nullopt;
  std::string text(static_cast<size_t>(length) + 1, '\0');
  const int copied =
      lws_hdr_custom_copy(wsi, text.data(), static_cast<int>(text.size()), name, name_length);
  text.resize(copied > 0 ? static_cast<size_t>(copied) : 0);
  return text;
}

BodyFraming body_framing(struct lws* wsi) {
  const std::string length = header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  const std::string coding = header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
  // A name with a space before its colon is no header to us, but may be one to a proxy before us.
  if (custom_header(wsi, "transfer-encoding :") || custom_header(wsi, "content-length :")) {
    return {BodyFraming::Kind::kInvalid, 0};
  }
  if (!coding.empty()) {
    // Both at once is how requests are smuggled past a proxy.
    if (!length.empty() || strcasecmp(coding.c_str(), "chunked") != 0) {
      return {BodyFraming::Kind::kInvalid, 0};
    }
    return {BodyFraming::Kind::kChunked, 0};
  }
  if (length.empty()) return {};
  // Digits and nothing else: no sign, no list of two lengths.
  uint64_t value = 0;
  const char* end = length.data() + length.size();
  const auto parsed = std::from_chars(length.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || length.size() > kMaxLengthDigits) {
    return {BodyFraming::Kind::kInvalid, 0};
  }
  return {BodyFraming::Kind::kLength, value};
}

Request read_request(struct lws* wsi, const Address& peer, std::span<const AddressRange> trusted) {
  Request request;
  const Target target = read_target(wsi);
  request.method = method_of(target.method);
  request.path = target.path;
  request.query = read_query(wsi);
  request.host = header(wsi, WSI_TOKEN_HOST);
  request.origin = header(wsi, WSI_TOKEN_ORIGIN);
  request.content_type = header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
  request.keep_alive = wants_keep_alive(wsi);
  request.accepts_gzip = accepts_gzip(header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING));
  request.client = client_address(peer, header(wsi, WSI_TOKEN_X_FORWARDED_FOR), trusted);
  request.of_proxy = lies_in(trusted, request.client);
  return request;
}

bool request_line_intact(struct lws* wsi) {
  return read_target(wsi).whole && header(wsi, WSI_TOKEN_HTTP).starts_with("HTTP/1.");
}

bool expects_continue(struct lws* wsi) {
  return strcasecmp(header(wsi, WSI_TOKEN_HTTP_EXPECT).c_str(), "100-continue") == 0 &&
         header(wsi, WSI_TOKEN_HTTP) == "HTTP/1.1";
}

bool presumes_body(struct lws* wsi) {
  return lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0 ||
         lws_hdr_total_length(wsi, WSI_TOKEN_PUT_URI) > 0 ||
         lws_hdr_total_length(wsi, WSI_TOKEN_PATCH_URI) > 0;
}

}  // namespace signalbox::net
