// What the scripts about rooms are given and answer, in our terms.
//
// Thread: any; functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/options.h"
#include "engine/store/commands.h"
#include "engine/store/envelope.h"
#include "engine/store/rooms.h"

namespace signalbox::store {

// The first element names the outcome; of anything else (an error, no answer) it is empty.
std::string_view outcome(const Reply& reply);
std::vector<std::string> texts(const Reply& array);

CreateReply to_create_reply(const Reply& reply);
CheckReply to_check_reply(const Reply& reply);
JoinReply to_join_reply(const Reply& reply);
LeaveReply to_leave_reply(const Reply& reply);

// What other nodes are told of a socket. It has no place in the sequence of a route: Redis says it,
// and adds the stamp.
std::string news(EnvelopeKind kind, std::string_view sender, std::string_view room,
                 std::string_view socket);

// What the script that creates a room is given of it: time to live, secret and capacity.
std::vector<std::string> create_arguments(const CreateRequest& request, const Options& options);

// Seconds that a binding lives.
std::string binding_ttl(const Options& options);

// Tells two attempts of the same millisecond apart.
std::string random_attempt();

}  // namespace signalbox::store
