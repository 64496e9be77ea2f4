// signalbox._core: the C ABI as the Python package uses it. It adds nothing: what is pleasant to
// use is written in Python, in ../signalbox.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/python/src/engine.h"
#include "bindings/python/src/failure.h"

namespace py = pybind11;
using signalbox::python::Engine;

namespace {

// (name, type, unit, minimum, maximum, default, doc, live) of every option.
py::list options() {
  py::list rows;
  for (size_t i = 0; i < sbx_option_count(); ++i) {
    sbx_option_info info = {};
    info.size = sizeof info;
    signalbox::python::check(sbx_option_get(i, &info));
    rows.append(py::make_tuple(info.name, static_cast<int>(info.type), info.unit, info.minimum,
                               info.maximum, info.default_value, info.doc, info.live != 0));
  }
  return rows;
}

// The collector may look at an object whose Engine is not made yet.
Engine* made(PyObject* self) {
  auto* instance = reinterpret_cast<py::detail::instance*>(self);
  const auto value = instance->get_value_and_holder();
  return value.holder_constructed() ? value.value_ptr<Engine>() : nullptr;
}

void show_to_collector(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Engine* engine = made(self);
    return engine == nullptr ? 0 : engine->traverse(visit, arg);
  };
  type.tp_clear = [](PyObject* self) {
    if (Engine* engine = made(self)) engine->clear();
    return 0;
  };
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  signalbox::python::translate_failures();

#define SIGNALBOX_CODE(name, value, text) m.attr(&#name[sizeof "SBX"]) = value;
  SBX_ERROR_MAP(SIGNALBOX_CODE)
#undef SIGNALBOX_CODE

  m.def("version", &sbx_version);
  m.def("error_text", &sbx_error_text, py::arg("code"));
  m.def("options", &options);

  py::class_<Engine>(m, "Engine", py::custom_type_setup(show_to_collector))
      .def(py::init<const signalbox::python::Pairs&, int>(), py::arg("options"),
           py::arg("log_level"))
      .def("run", &Engine::run)
      .def("stop", &Engine::stop)
      .def("destroy", &Engine::destroy)
      .def("port", &Engine::port)
      .def("counters", &Engine::counters)
      .def("set", &Engine::set, py::arg("name"), py::arg("value"))
      .def("share_port", &Engine::share_port, py::arg("other"))
      .def("set_hook", &Engine::set_hook, py::arg("name"), py::arg("function"))
      .def("add_namespace", &Engine::add_namespace, py::arg("name"), py::arg("connecting"),
           py::arg("connected"), py::arg("disconnected"), py::arg("event"))
      .def("on", &Engine::on, py::arg("nsp"), py::arg("event"), py::arg("function"))
      .def("mount", &Engine::mount, py::arg("prefix"), py::arg("function"))
      .def("emit", &Engine::emit, py::arg("socket"), py::arg("event"), py::arg("args"),
           py::arg("attachments"))
      .def("emit_with_ack", &Engine::emit_with_ack, py::arg("socket"), py::arg("event"),
           py::arg("args"), py::arg("attachments"), py::arg("timeout_ms"), py::arg("function"))
      .def("broadcast", &Engine::broadcast, py::arg("nsp"), py::arg("room"), py::arg("skip"),
           py::arg("event"), py::arg("args"), py::arg("attachments"))
      .def("broadcast_to_peers", &Engine::broadcast_to_peers, py::arg("room"), py::arg("skip"),
           py::arg("event"), py::arg("args"), py::arg("attachments"))
      .def("ack", &Engine::ack, py::arg("socket"), py::arg("ack"), py::arg("args"),
           py::arg("attachments"))
      .def("accept", &Engine::accept, py::arg("ticket"))
      .def("refuse", &Engine::refuse, py::arg("ticket"), py::arg("message"), py::arg("data"))
      .def("disconnect", &Engine::disconnect, py::arg("socket"), py::arg("close"))
      .def("join", &Engine::join, py::arg("socket"), py::arg("room"))
      .def("leave", &Engine::leave, py::arg("socket"), py::arg("room"))
      .def("set_data", &Engine::set_data, py::arg("socket"), py::arg("data"))
      .def("respond", &Engine::respond, py::arg("ticket"), py::arg("status"), py::arg("headers"),
           py::arg("body"));
}
