// How the micro-benchmarks measure.
//
// Thread: the benchmark's.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string_view>

namespace micro {

// Calls `work` again and again, and tells how many bytes of `text` it gets through in a second.
// When it returns false it has not done what is measured, which is an error.
template <typename Work>
void each(benchmark::State& state, std::string_view text, Work work) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(text.data());
    benchmark::ClobberMemory();
    if (!work()) {
      state.SkipWithError("it fails");
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

}  // namespace micro
