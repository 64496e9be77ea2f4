// What an sbx_config holds.
//
// Thread: a value; calls on one must not overlap.
// Owner: the caller of sbx_config_new.
#pragma once

#include "engine/core/log.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "signalbox.h"

namespace signalbox::capi {

// `level` as the engine has it; kInvalid when it is no sbx_log_level.
Status read_log_level(int level, LogLevel& read);

}  // namespace signalbox::capi

struct sbx_config {
  signalbox::Options options;
  signalbox::LogLevel log_level = signalbox::LogLevel::kInfo;
};
