// The border between exceptions and error codes: every C function that can fail runs in guard().
//
// Thread: functions without state, but for the text of each thread's last error.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>

#include "engine/core/status.h"
#include "signalbox.h"

namespace signalbox::capi {

// Keeps `text` for sbx_last_error() and returns `code`.
sbx_error fail(sbx_error code, std::string_view text) noexcept;

sbx_error code_of(ErrorCode code) noexcept;

// Runs `body`, which returns a Status, and turns its outcome into a code and a text.
template <typename Body>
sbx_error guard(Body body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? SBX_OK : fail(code_of(status.code()), status.text());
  } catch (const std::bad_alloc&) {
    return fail(SBX_E_SYSTEM, "out of memory");
  } catch (const std::runtime_error& error) {
    // The engine throws these, system_error among them, where the system refuses something.
    return fail(SBX_E_SYSTEM, error.what());
  } catch (const std::exception& error) {
    return fail(SBX_E_INTERNAL, error.what());
  } catch (...) {
    return fail(SBX_E_INTERNAL, "unknown exception");
  }
}

inline Status null(const char* argument) {
  return {ErrorCode::kInvalid, std::string(argument) + " is NULL"};
}

}  // namespace signalbox::capi
