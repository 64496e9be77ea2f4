// The receive buffers of WebSockets. libwebsockets allocates one for each, and touches it only for
// control frames: data it hands on from where it was read. Among other things on the heap a buffer
// nevertheless takes all of its size of memory. Here they lie side by side, so that it takes what
// is touched.
//
// libwebsockets has one allocator in a process: a choice of the program, not of a library in it.
//
// Thread: any.
// Owner: the process; what is mapped stays so.
#pragma once

namespace hostd {

// Has libwebsockets allocate its receive buffers here: address space for as many as the process may
// have descriptors. To be called before an engine is started. From the heap they come when there is
// no address space.
void separate_receive_buffers();

}  // namespace hostd
