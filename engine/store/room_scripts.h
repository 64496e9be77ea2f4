// The Lua scripts behind store/rooms.h. What each takes and answers is written above it in
// room_scripts.cpp.
//
// Thread: any; constants.
#pragma once

#include "engine/store/commands.h"

namespace signalbox::store {

const Script& create_room_script();
const Script& check_room_script();
const Script& join_room_script();
const Script& leave_room_script();
const Script& bind_script();

}  // namespace signalbox::store
