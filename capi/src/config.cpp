#include "capi/src/config.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "capi/src/guard.h"

using signalbox::ErrorCode;
using signalbox::LogLevel;
using signalbox::OptionType;
using signalbox::Status;
using signalbox::capi::guard;

static_assert(static_cast<int>(OptionType::kString) == SBX_OPTION_STRING);
static_assert(static_cast<int>(OptionType::kInteger) == SBX_OPTION_INTEGER);
static_assert(static_cast<int>(OptionType::kBoolean) == SBX_OPTION_BOOLEAN);
static_assert(static_cast<int>(OptionType::kList) == SBX_OPTION_LIST);
static_assert(static_cast<int>(LogLevel::kError) == SBX_LOG_ERROR);
static_assert(static_cast<int>(LogLevel::kWarning) == SBX_LOG_WARNING);
static_assert(static_cast<int>(LogLevel::kInfo) == SBX_LOG_INFO);
static_assert(static_cast<int>(LogLevel::kDebug) == SBX_LOG_DEBUG);

namespace {

// The struct as version 0.1 had it; later versions only append.
constexpr size_t kOptionInfoSize0 = offsetof(sbx_option_info, doc) + sizeof(const char*);

}  // namespace

size_t sbx_option_count(void) {
  return signalbox::option_table().size();
}

sbx_error sbx_option_get(size_t index, sbx_option_info* info) {
  return guard(nullptr, 0, [&]() -> Status {
    if (info == nullptr || info->size < kOptionInfoSize0 || index >= sbx_option_count()) {
      return {ErrorCode::kInvalid, ""};
    }
    const signalbox::OptionInfo& option = signalbox::option_table()[index];
    sbx_option_info filled{};
    filled.size = info->size;
    filled.name = option.name;
    filled.type = static_cast<sbx_option_type>(option.type);
    filled.unit = option.unit;
    filled.minimum = option.minimum;
    filled.maximum = option.maximum;
    filled.default_value = option.default_value.c_str();
    filled.doc = option.doc;
    std::memcpy(info, &filled, std::min(info->size, sizeof filled));
    return {};
  });
}

sbx_config* sbx_config_new(void) {
  sbx_config* config = nullptr;
  guard(nullptr, 0, [&]() -> Status {
    config = new sbx_config;
    return {};
  });
  return config;
}

void sbx_config_free(sbx_config* config) {
  delete config;
}

sbx_error sbx_config_set(sbx_config* config, const char* name, const char* value, char* err,
                         size_t errlen) {
  return guard(err, errlen, [&]() -> Status {
    if (config == nullptr) return {ErrorCode::kInvalid, "config is NULL"};
    if (name == nullptr) return {ErrorCode::kInvalid, "name is NULL"};
    if (value == nullptr) return {ErrorCode::kInvalid, "value is NULL"};
    return signalbox::set_option(config->options, name, value);
  });
}

sbx_error sbx_config_set_log_level(sbx_config* config, int level) {
  if (config == nullptr || level < SBX_LOG_ERROR || level > SBX_LOG_DEBUG) return SBX_E_INVALID;
  config->log_level = static_cast<LogLevel>(level);
  return SBX_OK;
}
