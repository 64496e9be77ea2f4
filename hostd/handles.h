// The C ABI's handles, given back by themselves.
//
// Thread: as the C ABI says.
#pragma once

#include <memory>

#include "signalbox.h"

namespace hostd {

struct FreeConfig {
  void operator()(sbx_config* config) const { sbx_config_free(config); }
};
using Config = std::unique_ptr<sbx_config, FreeConfig>;

struct DestroyEngine {
  void operator()(sbx_engine* engine) const { sbx_engine_destroy(engine); }
};
using Engine = std::unique_ptr<sbx_engine, DestroyEngine>;

}  // namespace hostd
