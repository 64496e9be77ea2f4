// Reads a request out of libwebsockets' header table, which exists only during certain callbacks.
//
// Thread: the loop's.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/net/http.h"

namespace signalbox::net {

std::string header(struct lws* wsi, enum lws_token_indexes token);

// One of the lines of a header, or of the pieces of the query, counted from 0; nothing behind the
// last.
std::optional<std::string> header_fragment(struct lws* wsi, enum lws_token_indexes token,
                                           int index);

// A header that libwebsockets has no number for, the first of that name; `name` in small letters
// with its colon.
std::optional<std::string> custom_header(struct lws* wsi, const char* name);

// How a request's body is delimited (RFC 9112, 6).
struct BodyFraming {
  enum class Kind { kNone, kLength, kChunked, kInvalid };
  Kind kind = Kind::kNone;
  uint64_t length = 0;
};
BodyFraming body_framing(struct lws* wsi);

// `peer` is who has the connection.
Request read_request(struct lws* wsi, const Address& peer, std::span<const AddressRange> trusted);

// Whether the request line ended with the protocol's version. libwebsockets decodes "%0A" in a URL
// and then takes it for the end of the line, and what follows for header lines: nothing in such a
// request can be believed. And whether the path is all there: of one with a bare '&' or ';' it
// keeps pieces.
bool request_line_intact(struct lws* wsi);

// Whether the client waits for "100 Continue" before it sends the body (RFC 9110, 10.1.1).
bool expects_continue(struct lws* wsi);

// Whether libwebsockets expects a body behind a request of this method that does not announce one.
bool presumes_body(struct lws* wsi);

// Whether libwebsockets takes all that it has read with a body for more of it, whatever
// Content-Length says: 4.3 does.
inline constexpr bool kReadsBeyondBodies = LWS_LIBRARY_VERSION_NUMBER >= 4'002'000;

}  // namespace signalbox::net
