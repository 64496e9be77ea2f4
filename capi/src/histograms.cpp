#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "capi/src/engine.h"
#include "capi/src/guard.h"
#include "engine/core/counters.h"

using signalbox::ErrorCode;
using signalbox::Histogram;
using signalbox::kHistograms;
using signalbox::Status;
using signalbox::capi::guard;
using signalbox::capi::null;

namespace {

// The struct as version 1.1 has it; later versions only append.
constexpr size_t kHistogramInfoSize1 = offsetof(sbx_histogram_info, bound_count) + sizeof(size_t);

Status check_index(size_t index) {
  if (index < std::size(kHistograms)) return {};
  return {ErrorCode::kInvalid,
          "index: there are " + std::to_string(std::size(kHistograms)) + " histograms"};
}

}  // namespace

size_t sbx_histogram_count(void) {
  return std::size(kHistograms);
}

sbx_error sbx_histogram_get(size_t index, sbx_histogram_info* info) {
  return guard([&]() -> Status {
    if (info == nullptr) return null("info");
    if (info->size < kHistogramInfoSize1) {
      return {ErrorCode::kInvalid, "info->size is not the size of an sbx_histogram_info"};
    }
    if (Status status = check_index(index); !status.ok()) return status;
    sbx_histogram_info filled{};
    filled.size = info->size;
    filled.name = kHistograms[index].name;
    filled.doc = kHistograms[index].doc;
    filled.bounds = Histogram::kBounds;
    filled.bound_count = std::size(Histogram::kBounds);
    std::memcpy(info, &filled, std::min(info->size, sizeof filled));
    return {};
  });
}

sbx_error sbx_engine_histogram(const sbx_engine* engine, size_t index, uint64_t* buckets,
                               size_t bucket_count, double* sum) {
  return guard([&]() -> Status {
    if (engine == nullptr) return null("engine");
    if (buckets == nullptr) return null("buckets");
    if (sum == nullptr) return null("sum");
    if (Status status = check_index(index); !status.ok()) return status;
    if (bucket_count != Histogram::kBuckets) {
      return {ErrorCode::kInvalid,
              "bucket_count: there are " + std::to_string(Histogram::kBuckets) + " buckets"};
    }
    const Histogram& histogram = engine->engine.counters().*kHistograms[index].value;
    for (size_t i = 0; i < bucket_count; ++i) buckets[i] = histogram.bucket(i);
    *sum = histogram.sum();
    return {};
  });
}
