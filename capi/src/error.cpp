#include "signalbox.h"

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
