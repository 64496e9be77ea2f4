// The names of headers that libwebsockets misreads. It compares a line with the words that it knows
// letter by letter: a name that ends inside a word ("X-Auth" of "x-auth-token:") runs on to the
// next colon, wherever that is, and so hides the lines between; a name that begins with a word
// which needs no colon ("put") is taken for that.
//
// Thread: functions without state.
#pragma once

#include <string_view>

namespace signalbox::net {

// The word that libwebsockets takes `name` for, in small letters or not; empty: it reads it well.
std::string_view misread_as(std::string_view name);

}  // namespace signalbox::net
