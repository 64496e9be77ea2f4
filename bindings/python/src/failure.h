// What an sbx function refused, as a C++ exception on its way to become a Python one.
//
// Thread: any that holds the GIL.
#pragma once

#include <signalbox.h>

#include <stdexcept>
#include <string>

namespace signalbox::python {

class Failure : public std::runtime_error {
 public:
  Failure(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

// Throws what sbx_last_error() says unless the call succeeded.
void check(sbx_error error);

// Has every Failure that leaves the module raised as what signalbox.errors makes of it.
void translate_failures();

}  // namespace signalbox::python
