// The names of all keys in Redis. The layout is described in engine/store/README.md.
//
// Thread: any; no state.
#pragma once

#include <string>
#include <string_view>

namespace signalbox::store {

std::string room_key(std::string_view room);
std::string room_sockets_key(std::string_view room);
std::string socket_key(std::string_view socket);
std::string join_limit_key(std::string_view who);
std::string referrers_key(std::string_view day);

}  // namespace signalbox::store
