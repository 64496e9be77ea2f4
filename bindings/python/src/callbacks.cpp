#include "bindings/python/src/callbacks.h"

#include <cstring>

namespace signalbox::python {
namespace {

bool interpreter_ends() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

// Takes the GIL for one call into Python. What is raised there goes to sys.unraisablehook: the
// functions of the package catch and log their handlers' exceptions themselves.
template <typename Call>
void in_python(Call&& call) {
  if (interpreter_ends()) return;
  const py::gil_scoped_acquire gil;
  try {
    call();
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("a callback of signalbox");
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    PyErr_WriteUnraisable(nullptr);
  }
}

py::object text(const char* text, size_t length) {
  return py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(length), "replace"));
}

py::object text(const char* text_or_null) {
  return text_or_null == nullptr ? py::none() : text(text_or_null, std::strlen(text_or_null));
}

py::object object(void* data) {
  return data == nullptr ? py::none()
                         : py::reinterpret_borrow<py::object>(static_cast<PyObject*>(data));
}

py::list list(const sbx_bytes* attachments, size_t count) {
  py::list items(count);
  for (size_t i = 0; i < count; ++i) {
    items[i] = py::bytes(static_cast<const char*>(attachments[i].data), attachments[i].size);
  }
  return items;
}

py::list list(const sbx_pair* pairs, size_t count) {
  py::list items(count);
  for (size_t i = 0; i < count; ++i) {
    items[i] = py::make_tuple(text(pairs[i].name), text(pairs[i].value));
  }
  return items;
}

Hooks& hooks(void* user) {
  return *static_cast<Hooks*>(user);
}

// Tells a hook, if it is set, some texts.
template <typename... Texts>
void tell(const Function& hook, Texts... texts) {
  if (!hook.is_set()) return;
  in_python([&] {
    if (hook.get()) hook.get()(text(texts)...);
  });
}

void decide(const Function& hook, sbx_engine* engine, const sbx_room_request* request) {
  if (!hook.is_set()) {
    sbx_accept(engine, request->ticket);
    return;
  }
  in_python([&] {
    if (!hook.get()) return;
    hook.get()(request->ticket, text(request->room), text(request->socket), text(request->address),
               list(request->headers, request->header_count),
               list(request->query, request->query_count), object(request->data));
  });
}

void on_connecting(void* user, const sbx_connect* request) {
  const auto& functions = *static_cast<Namespace*>(user);
  if (!functions.connecting.is_set()) {
    sbx_accept(functions.engine, request->ticket);
    return;
  }
  in_python([&] {
    if (!functions.connecting.get()) return;
    functions.connecting.get()(
        request->ticket, text(request->socket), text(request->auth), text(request->address),
        list(request->headers, request->header_count), list(request->query, request->query_count));
  });
}

void on_connected(void* user, const sbx_socket* socket) {
  tell(static_cast<Namespace*>(user)->connected, socket->socket, socket->address);
}

void on_disconnected(void* user, const sbx_socket* socket) {
  const Function& function = static_cast<Namespace*>(user)->disconnected;
  in_python([&] {
    if (!function.get()) return;
    function.get()(text(socket->socket), text(socket->address), text(socket->reason),
                   object(socket->data));
  });
}

void on_any_event(void* user, const sbx_event* event) {
  on_event(&static_cast<Namespace*>(user)->event, event);
}

}  // namespace

sbx_callbacks callbacks_for(Hooks& into) {
  sbx_callbacks callbacks = {};
  callbacks.size = sizeof callbacks;
  callbacks.user = &into;
  callbacks.log = [](void* user, sbx_log_level level, const char* line) {
    const Function& hook = hooks(user).log;
    in_python([&] {
      if (hook.get()) hook.get()(static_cast<int>(level), text(line));
    });
  };
  callbacks.started = [](void* user, uint16_t) { tell(hooks(user).started); };
  callbacks.room_created = [](void* user, const char* room) {
    tell(hooks(user).room_created, room);
  };
  callbacks.joined = [](void* user, const char* room, const char* socket) {
    tell(hooks(user).joined, room, socket);
  };
  callbacks.left = [](void* user, const char* room, const char* socket) {
    tell(hooks(user).left, room, socket);
  };
  callbacks.refused = [](void* user, const char* room, const char* socket, const char* reason) {
    tell(hooks(user).refused, room, socket, reason);
  };
  callbacks.creating = [](void* user, const sbx_room_request* request) {
    decide(hooks(user).creating, hooks(user).engine, request);
  };
  callbacks.joining = [](void* user, const sbx_room_request* request) {
    decide(hooks(user).joining, hooks(user).engine, request);
  };
  callbacks.abandoned = [](void* user, uint64_t ticket) {
    const Function& hook = hooks(user).abandoned;
    in_python([&] {
      if (hook.get()) hook.get()(ticket);
    });
  };
  return callbacks;
}

sbx_namespace callbacks_for(Namespace& functions) {
  sbx_namespace callbacks = {};
  callbacks.size = sizeof callbacks;
  callbacks.user = &functions;
  if (functions.connecting.is_set()) callbacks.connecting = on_connecting;
  if (functions.connected.is_set()) callbacks.connected = on_connected;
  if (functions.disconnected.is_set()) callbacks.disconnected = on_disconnected;
  if (functions.event.is_set()) callbacks.event = on_any_event;
  return callbacks;
}

void on_event(void* user, const sbx_event* event) {
  const auto& function = *static_cast<Function*>(user);
  if (!function.is_set()) return;
  in_python([&] {
    if (!function.get()) return;
    function.get()(text(event->socket), text(event->name), text(event->args, event->args_length),
                   list(event->attachments, event->attachment_count), event->ack,
                   object(event->data));
  });
}

void on_http_request(void* user, const sbx_http_request* request) {
  const auto& function = *static_cast<Function*>(user);
  in_python([&] {
    if (!function.get()) return;
    function.get()(request->ticket, text(request->method), text(request->path),
                   text(request->address), list(request->headers, request->header_count),
                   list(request->query, request->query_count),
                   py::bytes(static_cast<const char*>(request->body.data), request->body.size));
  });
}

void on_answer(void* user, const sbx_answer* answer) {
  in_python([&] {
    const auto function = py::reinterpret_steal<py::object>(static_cast<PyObject*>(user));
    function(static_cast<int>(answer->status), text(answer->args, answer->args_length),
             list(answer->attachments, answer->attachment_count));
  });
}

void release_object(void* data) {
  in_python([&] { Py_DECREF(static_cast<PyObject*>(data)); });
}

}  // namespace signalbox::python
