// The variables of the environment that say something about options.
//
// Thread: the main thread, before there are others.
#pragma once

#include "hostd/setting.h"

namespace hostd {

// SIGNALBOX_*, each an option. One that is none goes to `faults`, unless Kubernetes may have set it
// for a service whose name begins with "signalbox".
Layer read_environment(Faults& faults);

// Those of the Node backend. As there, an empty one counts as absent; so does a port that
// Kubernetes has set for a service named "backend" or "redis".
Layer read_backend_environment();

}  // namespace hostd
