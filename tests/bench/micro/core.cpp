// Texts: UTF-8, the JSON scan beside cJSON, base64.
#include <benchmark/benchmark.h>
#include <cjson/cJSON.h>

#include <array>
#include <string>

#include "engine/core/base64.h"
#include "engine/core/json.h"
#include "engine/core/utf8.h"
#include "tests/bench/micro/micro.h"
#include "tests/bench/micro/texts.h"

using namespace signalbox;

namespace {

void utf8(benchmark::State& state, const std::string& text) {
  micro::each(state, text, [&] { return utf8_valid(text); });
}

void json_scan(benchmark::State& state, const std::string& text) {
  micro::each(state, text, [&] { return json::scan_document(text).present(); });
}

void json_members(benchmark::State& state, const std::string& text) {
  micro::each(state, text, [&] {
    std::array<json::Member, 2> members{{{"peerId", {}}, {"from", {}}}};
    return json::scan_object(text, members) && members[0].value.present();
  });
}

void json_cjson(benchmark::State& state, const std::string& text) {
  micro::each(state, text, [&] {
    cJSON* tree = cJSON_ParseWithLength(text.data(), text.size());
    cJSON_Delete(tree);
    return tree != nullptr;
  });
}

void base64_encode(benchmark::State& state, const std::string& bytes) {
  micro::each(state, bytes, [&] {
    std::string text;
    append_base64(text, bytes);
    return !text.empty();
  });
}

void base64_decode(benchmark::State& state, const std::string& bytes) {
  std::string text;
  append_base64(text, bytes);
  micro::each(state, text, [&] {
    std::string decoded;
    return decode_base64(text, decoded);
  });
}

BENCHMARK_CAPTURE(utf8, ascii, micro::offer());
BENCHMARK_CAPTURE(utf8, mixed, micro::mixed_text());
BENCHMARK_CAPTURE(json_scan, offer, micro::offer());
BENCHMARK_CAPTURE(json_scan, candidate, micro::candidate());
BENCHMARK_CAPTURE(json_members, offer, micro::offer());
BENCHMARK_CAPTURE(json_members, candidate, micro::candidate());
BENCHMARK_CAPTURE(json_cjson, offer, micro::offer());
BENCHMARK_CAPTURE(json_cjson, candidate, micro::candidate());
BENCHMARK_CAPTURE(base64_encode, mixed, micro::mixed_text());
BENCHMARK_CAPTURE(base64_decode, mixed, micro::mixed_text());

}  // namespace
