#include "capi/src/config.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include "capi/src/guard.h"
#include "engine/engine.h"

using signalbox::ErrorCode;
using signalbox::LogLevel;
using signalbox::OptionType;
using signalbox::Status;
using signalbox::capi::guard;
using signalbox::capi::null;

static_assert(static_cast<int>(OptionType::kString) == SBX_OPTION_STRING);
static_assert(static_cast<int>(OptionType::kInteger) == SBX_OPTION_INTEGER);
static_assert(static_cast<int>(OptionType::kBoolean) == SBX_OPTION_BOOLEAN);
static_assert(static_cast<int>(OptionType::kList) == SBX_OPTION_LIST);
static_assert(static_cast<int>(LogLevel::kError) == SBX_LOG_ERROR);
static_assert(static_cast<int>(LogLevel::kWarning) == SBX_LOG_WARNING);
static_assert(static_cast<int>(LogLevel::kInfo) == SBX_LOG_INFO);
static_assert(static_cast<int>(LogLevel::kDebug) == SBX_LOG_DEBUG);

namespace {

// The struct as version 1.0 has it; later versions only append.
constexpr size_t kOptionInfoSize1 = offsetof(sbx_option_info, doc) + sizeof(const char*);

}  // namespace

Status signalbox::capi::read_log_level(int level, LogLevel& read) {
  if (level < SBX_LOG_ERROR || level > SBX_LOG_DEBUG) {
    return {ErrorCode::kInvalid, "level is no sbx_log_level"};
  }
  read = static_cast<LogLevel>(level);
  return {};
}

size_t sbx_option_count(void) {
  return signalbox::option_table().size();
}

sbx_error sbx_option_get(size_t index, sbx_option_info* info) {
  return guard([&]() -> Status {
    if (info == nullptr) return null("info");
    if (info->size < kOptionInfoSize1) {
      return {ErrorCode::kInvalid, "info->size is not the size of an sbx_option_info"};
    }
    if (index >= sbx_option_count()) {
      return {ErrorCode::kInvalid,
              "index: there are " + std::to_string(sbx_option_count()) + " options"};
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
    filled.live = option.live ? 1 : 0;
    filled.secret = option.secret ? 1 : 0;
    std::memcpy(info, &filled, std::min(info->size, sizeof filled));
    return {};
  });
}

sbx_config* sbx_config_new(void) {
  sbx_config* config = nullptr;
  guard([&]() -> Status {
    config = new sbx_config;
    return {};
  });
  return config;
}

void sbx_config_free(sbx_config* config) {
  delete config;
}

sbx_error sbx_config_set(sbx_config* config, const char* name, const char* value) {
  return guard([&]() -> Status {
    if (config == nullptr) return null("config");
    if (name == nullptr) return null("name");
    if (value == nullptr) return null("value");
    return signalbox::set_option(config->options, name, value);
  });
}

sbx_error sbx_config_check(const sbx_config* config) {
  return guard([&]() -> Status {
    if (config == nullptr) return null("config");
    return signalbox::Engine::check(config->options);
  });
}

sbx_error sbx_config_set_log_level(sbx_config* config, int level) {
  return guard([&]() -> Status {
    if (config == nullptr) return null("config");
    return signalbox::capi::read_log_level(level, config->log_level);
  });
}
