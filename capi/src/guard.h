// The border between exceptions and error codes: every C function that can fail runs in guard().
//
// Thread: functions without state.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>

#include "engine/core/status.h"
#include "signalbox.h"

namespace signalbox::capi {

// Copies a text to a caller's buffer: as much as fits with its NUL, cut between UTF-8 characters.
inline void copy_text(std::string_view text, char* buffer, size_t size) noexcept {
  if (buffer == nullptr || size == 0) return;
  size_t length = text.size();
  if (length >= size) {
    length = size - 1;
    auto continues = [&](size_t at) {
      return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
    };
    while (length > 0 && continues(length)) --length;
  }
  std::memcpy(buffer, text.data(), length);
  buffer[length] = '\0';
}

inline sbx_error fail(sbx_error code, std::string_view text, char* err, size_t errlen) noexcept {
  copy_text(text, err, errlen);
  return code;
}

inline sbx_error code_of(ErrorCode code) noexcept {
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

// Runs `body`, which returns a Status, and turns its outcome into a code and a text.
template <typename Body>
sbx_error guard(char* err, size_t errlen, Body body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? SBX_OK : fail(code_of(status.code()), status.text(), err, errlen);
  } catch (const std::bad_alloc&) {
    return fail(SBX_E_SYSTEM, "out of memory", err, errlen);
  } catch (const std::runtime_error& error) {
    // The engine throws these, system_error among them, where the system refuses something.
    return fail(SBX_E_SYSTEM, error.what(), err, errlen);
  } catch (const std::exception& error) {
    return fail(SBX_E_INTERNAL, error.what(), err, errlen);
  } catch (...) {
    return fail(SBX_E_INTERNAL, "unknown exception", err, errlen);
  }
}

}  // namespace signalbox::capi
