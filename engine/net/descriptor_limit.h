// How many descriptors the system lets this process have, and how many connections that is enough
// for.
//
// Thread: any.
#pragma once

#include <cstddef>

namespace signalbox::net {

int descriptor_limit();

// How many connections there can be beside what is open now and what `servers` servers open for
// themselves, when each connection takes so many descriptors.
size_t most_connections(size_t descriptors_each, size_t servers);

}  // namespace signalbox::net
