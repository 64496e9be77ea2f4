// The Lua scripts behind store/split_rooms.h: each has the keys of one slot. What each takes and
// answers is written above it in split_scripts.cpp.
//
// Thread: any; constants.
#pragma once

#include "engine/store/commands.h"

namespace signalbox::store {

const Script& attempt_script();
const Script& enlist_script();
const Script& enter_script();
const Script& exit_script();
const Script& unbind_script();
const Script& unlist_script();
const Script& raise_fence_script();
const Script& lower_fence_script();

}  // namespace signalbox::store
