// Looks into a request that nobody has read yet for the session it belongs to.
//
// Thread: functions without state.
#pragma once

#include <string_view>

namespace signalbox::net {

// The session id in the query of a request line ("GET /socket.io/?EIO=4&sid=... HTTP/1.1") whose
// path begins with `path`; empty when there is none. Of several the last counts, as in
// Request::parameter(). Percent-encoding, which no client puts there, is not undone.
std::string_view session_in(std::string_view line, std::string_view path);

}  // namespace signalbox::net
