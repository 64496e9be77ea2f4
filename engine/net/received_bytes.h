// How many bytes of a TCP connection have been read by this process, as the kernel counts them.
//
// libwebsockets 4.1 misreads a request with a body when it comes out of its own buffer instead of
// fresh off the socket, which happens to pipelined requests: it takes the header for the body and
// may then loop for ever. It does not tell where a request came from, but the kernel does: a
// request during which nothing was read came from the buffer.
//
// Thread: any.
#pragma once

#include <cstdint>

namespace signalbox::net {

// Bytes may arrive while we ask, so there are two answers, each sure on one side.
uint64_t received_at_least(int fd);
uint64_t received_at_most(int fd);

}  // namespace signalbox::net
