// The gzip content coding of answers (RFC 9110, 8.4.1.3), for clients that say they take it.
//
// Thread: functions without state.
#pragma once

#include <string_view>

#include "engine/net/http.h"

namespace signalbox::net {

// Whether a request with this Accept-Encoding header (RFC 9110, 12.5.3) takes gzip. "gzip;q=0"
// refuses it, "*" stands for what is not named; no header, or a weight that is none, is no consent.
bool accepts_gzip(std::string_view accept_encoding);

// Codes the body and says so in header lines. The answer stays as it is when its body is too small
// to be worth it (less than 1024 bytes, as engine.io has it), so large that the loop would stand
// still (more than 256 KiB), or would not become smaller.
void gzip_body(Response& response);

}  // namespace signalbox::net
