#include <array>
#include <cstring>

#include "capi/src/guard.h"
#include "signalbox.h"

namespace signalbox::capi {
namespace {

// A buffer, so that telling of an error needs no memory.
thread_local std::array<char, 512> last_error{};

}  // namespace

sbx_error fail(sbx_error code, std::string_view text) noexcept {
  size_t length = text.size();
  if (length >= last_error.size()) {
    length = last_error.size() - 1;
    // Cut between characters.
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  }
  std::memcpy(last_error.data(), text.data(), length);
  last_error[length] = '\0';
  return code;
}

sbx_error code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kNone:
      return SBX_OK;
    case ErrorCode::kInvalid:
      return SBX_E_INVALID;
    case ErrorCode::kState:
      return SBX_E_STATE;
    case ErrorCode::kAddress:
      return SBX_E_ADDRESS;
    case ErrorCode::kSystem:
      return SBX_E_SYSTEM;
    case ErrorCode::kUnavailable:
      return SBX_E_UNAVAILABLE;
  }
  return SBX_E_INTERNAL;
}

}  // namespace signalbox::capi

const char* sbx_last_error(void) {
  return signalbox::capi::last_error.data();
}

const char* sbx_version(void) {
  return SBX_VERSION;
}

const char* sbx_error_text(int code) {
  switch (code) {
#define SBX_ERROR_CASE(name, value, text) \
  case name:                              \
    return text;
    SBX_ERROR_MAP(SBX_ERROR_CASE)
#undef SBX_ERROR_CASE
    default:
      return "unknown error";
  }
}
