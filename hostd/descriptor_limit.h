// How many descriptors this process may have: as many as its connections take. libwebsockets keeps
// a table of all, and as Debian builds it looks through that at each connection's end; the million
// that a container begins with made this half a millisecond, a thousand are too few connections.
//
// Thread: the main thread, before an engine is started.
#pragma once

#include "hostd/options.h"

namespace hostd {

// Sets it to what limits.connections need, as far as the hard limit lets it.
void fit_descriptor_limit(const Settings& settings);

}  // namespace hostd
