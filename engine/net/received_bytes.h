// How many bytes of a TCP connection have been read by this process, as the kernel counts them.
//
// libwebsockets reads what is there, beyond the end of a request, too, and does not tell how far it
// has come.
//
// Thread: any.
#pragma once

#include <cstdint>

namespace signalbox::net {

// Whether exactly so many have been read. False also when bytes arrive so fast that it cannot be
// told.
bool has_read(int fd, uint64_t bytes);

// The same of one end of a socket pair, into which `delivered` bytes went.
bool has_read_of_pair(int fd, uint64_t bytes, uint64_t delivered);

}  // namespace signalbox::net
