#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "capi/src/engine.h"
#include "capi/src/guard.h"
#include "engine/core/counters.h"

using signalbox::ErrorCode;
using signalbox::kCounters;
using signalbox::Status;
using signalbox::capi::guard;
using signalbox::capi::null;

namespace {

// The struct as version 1.1 has it; later versions only append.
constexpr size_t kCounterInfoSize1 = offsetof(sbx_counter_info, doc) + sizeof(const char*);

Status check_index(size_t index) {
  if (index < std::size(kCounters)) return {};
  return {ErrorCode::kInvalid,
          "index: there are " + std::to_string(std::size(kCounters)) + " counters"};
}

}  // namespace

size_t sbx_counter_count(void) {
  return std::size(kCounters);
}

sbx_error sbx_counter_get(size_t index, sbx_counter_info* info) {
  return guard([&]() -> Status {
    if (info == nullptr) return null("info");
    if (info->size < kCounterInfoSize1) {
      return {ErrorCode::kInvalid, "info->size is not the size of an sbx_counter_info"};
    }
    if (Status status = check_index(index); !status.ok()) return status;
    sbx_counter_info filled{};
    filled.size = info->size;
    filled.name = kCounters[index].name;
    filled.doc = kCounters[index].doc;
    std::memcpy(info, &filled, std::min(info->size, sizeof filled));
    return {};
  });
}

sbx_error sbx_engine_counter(const sbx_engine* engine, size_t index, uint64_t* value) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (value == nullptr) return null("value");
    if (Status status = check_index(index); !status.ok()) return status;
    *value = engine->engine.counters().*kCounters[index].value;
    return {};
  });
}
