// Redis' replies as short texts, so that a corpus can be read and written by hand:
//
//   (joined 0 (AAAA1 AAAA2))   an array of a text, a number, and an array of texts
//   '0                         a text, though it looks like a number
//   -MOVED 1 h:1               an error (to the end)
//   ~                          nil
//   !                          no answer
//
// Thread: the fuzzer's only one.
#pragma once

#include <string_view>

#include "engine/store/redis_reply.h"

namespace fuzz {

// Takes one reply off the front of `rest`. Every text is one, or the beginning of one.
signalbox::store::Reply take_reply(std::string_view& rest, unsigned depth = 0);

}  // namespace fuzz
