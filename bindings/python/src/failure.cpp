#include "bindings/python/src/failure.h"

#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace signalbox::python {

void check(sbx_error error) {
  if (error != SBX_OK) throw Failure(error, sbx_last_error());
}

void translate_failures() {
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Failure& failure) {
      const py::object error =
          py::module_::import("signalbox.errors").attr("from_code")(failure.code(), failure.what());
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
    }
  });
}

}  // namespace signalbox::python
