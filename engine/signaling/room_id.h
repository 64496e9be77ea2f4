// What a room may be called, and what secret it may have.
//
// Thread: functions without state.
#pragma once

#include <string_view>

namespace signalbox::signaling {

inline constexpr size_t kMaxRoomIdLength = 64;  // characters
inline constexpr std::string_view kRoomIdRule =
    "roomId must be a string of 1 to 64 printable characters without spaces";

// Whether `id` (UTF-8) has 1 to 64 characters, none of them a space, a control or format character,
// a private-use code or a code that is no character.
bool room_id_valid(std::string_view id);

inline constexpr size_t kMaxSecretLength = 128;  // characters
inline constexpr std::string_view kSecretRule = "secret must be a string of 1 to 128 characters";

// Whether `secret` (UTF-8) has 1 to 128 characters, of any kind.
bool room_secret_valid(std::string_view secret);

// The number of characters (code points) of a valid UTF-8 text.
size_t character_count(std::string_view text);

}  // namespace signalbox::signaling
