#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "capi/src/engine.h"
#include "capi/src/guard.h"
#include "engine/core/counters.h"

using signalbox::ErrorCode;
using signalbox::kGauges;
using signalbox::Status;
using signalbox::capi::guard;
using signalbox::capi::null;

namespace {

// The struct as version 1.1 has it; later versions only append.
constexpr size_t kGaugeInfoSize1 = offsetof(sbx_gauge_info, doc) + sizeof(const char*);

Status check_index(size_t index) {
  if (index < std::size(kGauges)) return {};
  return {ErrorCode::kInvalid,
          "index: there are " + std::to_string(std::size(kGauges)) + " gauges"};
}

}  // namespace

size_t sbx_gauge_count(void) {
  return std::size(kGauges);
}

sbx_error sbx_gauge_get(size_t index, sbx_gauge_info* info) {
  return guard([&]() -> Status {
    if (info == nullptr) return null("info");
    if (info->size < kGaugeInfoSize1) {
      return {ErrorCode::kInvalid, "info->size is not the size of an sbx_gauge_info"};
    }
    if (Status status = check_index(index); !status.ok()) return status;
    sbx_gauge_info filled{};
    filled.size = info->size;
    filled.name = kGauges[index].name;
    filled.doc = kGauges[index].doc;
    std::memcpy(info, &filled, std::min(info->size, sizeof filled));
    return {};
  });
}

sbx_error sbx_engine_gauge(const sbx_engine* engine, size_t index, uint64_t* value) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (value == nullptr) return null("value");
    if (Status status = check_index(index); !status.ok()) return status;
    *value = engine->engine.counters().*kGauges[index].value;
    return {};
  });
}
