// Looks into a request that nobody has read yet for the session it belongs to.
//
// Thread: functions without state.
#pragma once

#include <optional>
#include <string_view>

namespace signalbox::net {

// The first line of `bytes`, without its end; nothing while that has not come.
std::optional<std::string_view> first_line(std::string_view bytes);

// The session id in the query of a request line ("GET /socket.io/?EIO=4&sid=... HTTP/1.1") whose
// path begins with `path`; empty when there is none. Of several the last counts, as in
// Request::parameter(). Percent-encoding, which no client puts there, is not undone.
std::string_view session_in(std::string_view line, std::string_view path);

}  // namespace signalbox::net
