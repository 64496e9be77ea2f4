// The Lua scripts about nodes. What each takes and answers is said where it is defined; the keys
// are described in engine/store/README.md.
//
// Thread: any; they are made once.
#pragma once

#include "engine/store/commands.h"

namespace signalbox::store {

const Script& register_script();
const Script& heartbeat_script();
const Script& unregister_script();
const Script& renew_claim_script();
const Script& release_claim_script();
const Script& set_aside_script();

}  // namespace signalbox::store
