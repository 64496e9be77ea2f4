// The names of all keys and channels in Redis. The layout is described in engine/store/README.md.
//
// Thread: any; no state.
#pragma once

#include <string>
#include <string_view>

namespace signalbox::store {

std::string room_key(std::string_view room);
std::string room_sockets_key(std::string_view room);
std::string socket_key(std::string_view socket);
// What an address has done of late (`what`: see store/limits.h; of joins it is a list). In a
// cluster all that is about one address shares a slot.
std::string limit_key(std::string_view what, std::string_view who);
std::string tagged_limit_key(std::string_view what, std::string_view who);
std::string referrers_key(std::string_view day);

// All nodes; the keys of single nodes share its slot in a cluster.
std::string nodes_key();
std::string node_key(std::string_view node);
// Which sockets of a node are in which room, and the same set aside for whoever cleans up.
std::string node_sockets_key(std::string_view node);
std::string node_left_key(std::string_view node);

// In a cluster, beside a node's index: holds while the index may be added to.
std::string node_fence_key(std::string_view node);

// In a cluster the keys of a room share a slot, that of {room}.
std::string tagged_room_key(std::string_view room);
std::string tagged_room_sockets_key(std::string_view room);
// Which registration of each node (by its secret) has last had sockets in the room, and which have
// departed with some.
std::string tagged_room_nodes_key(std::string_view room);

// What is said to one node, to those with sockets in a room of the host's, and to those that serve
// a namespace.
std::string node_channel(std::string_view node);
std::string room_channel(std::string_view nsp, std::string_view room);
std::string namespace_channel(std::string_view nsp);

}  // namespace signalbox::store
