// What requests to the HTTP API say.
//
// Thread: any; functions without state. What they return points into the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/json.h"
#include "engine/net/http.h"

namespace signalbox::signaling {

bool says_json(std::string_view content_type);

// The body as a JSON object; one of another type, or none, counts as an empty object (as in
// Express).
std::string_view object_of(const net::Request& request);

// The token of a request, if it has one: RFC 6750, 2.1.
std::optional<std::string_view> bearer_token(const net::Request& request);

// A `timestamp`, in milliseconds since the epoch: such a number, or a date as text.
std::optional<int64_t> time_of(const json::Value& timestamp);

// Whether the day of `ms` is the present one or next to it: clocks differ, and clients choose the
// days that are kept.
bool is_about_now(int64_t ms);

// A value as JavaScript's template literals would show a simple one; a long one is cut off.
std::string display(const json::Value& value);

}  // namespace signalbox::signaling
