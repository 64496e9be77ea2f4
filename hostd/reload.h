// What SIGHUP asks for: the configuration file is read again, and what can change while the engine
// serves changes; certificate and key are read again.
//
// Thread: the main thread.
#pragma once

#include "hostd/options.h"
#include "hostd/workers.h"

namespace hostd {

// Tells in the log what has changed and what needs a restart. When something in the file is not
// allowed, nothing changes, and all of that is told.
void reload(Settings& settings, Workers& workers);

}  // namespace hostd
