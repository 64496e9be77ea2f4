// The functions that the library calls; each hands over to the Python function in its `user`.
//
// Thread: the engine's, without the GIL. While the interpreter ends, none of them touches it.
#pragma once

#include "bindings/python/src/engine.h"

namespace signalbox::python {

// The callbacks that lead to these hooks. A decision without a hook is taken without Python.
sbx_callbacks callbacks_for(Hooks& hooks);

// The callbacks that lead to the functions that are set.
sbx_namespace callbacks_for(Namespace& functions);

// user: a Function, called with (socket, name, args, attachments, ack, data).
void on_event(void* user, const sbx_event* event);

// user: a Function, called with (ticket, method, path, address, headers, query, body).
void on_http_request(void* user, const sbx_http_request* request);

// user: a reference to a Python function, which is given back; called with (status, args,
// attachments).
void on_answer(void* user, const sbx_answer* answer);

// data: a reference to a Python object, which is given back.
void release_object(void* data);

}  // namespace signalbox::python
