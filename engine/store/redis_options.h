// The options redis.* that no rule of a single option can judge.
//
// Thread: any.
#pragma once

#include "engine/core/options.h"
#include "engine/core/status.h"

namespace signalbox::store {

// kInvalid when redis.url is not understood, when options do not fit together, or when a file of
// theirs is of no use. The text names the option and never repeats a password. Reads files.
Status validate_redis_options(const Options& options);

// Whether both lead to the same Redis, as far as the options tell.
bool same_redis(const Options& a, const Options& b);

}  // namespace signalbox::store
