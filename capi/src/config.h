// What an sbx_config holds.
//
// Thread: a value; calls on one must not overlap.
// Owner: the caller of sbx_config_new.
#pragma once

#include "engine/core/log.h"
#include "engine/core/options.h"
#include "signalbox.h"

struct sbx_config {
  signalbox::Options options;
  signalbox::LogLevel log_level = signalbox::LogLevel::kInfo;
};
