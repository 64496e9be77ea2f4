#include "bindings/python/src/engine.h"

#include <memory>

#include "bindings/python/src/callbacks.h"
#include "bindings/python/src/failure.h"

namespace signalbox::python {
namespace {

// A text as C takes it, which cannot contain NUL.
const char* c_text(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    throw Failure(SBX_E_INVALID, "a text contains a NUL character");
  }
  return text.c_str();
}

const char* c_text(const std::optional<std::string>& text) {
  return text ? c_text(*text) : nullptr;
}

sbx_bytes view(const py::bytes& bytes) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes.ptr(), &data, &size) != 0) throw py::error_already_set();
  return {data, static_cast<size_t>(size)};
}

// Arguments that are JSON contain no NUL and end in one, as every bytes object does.
const char* c_text(const Arguments& args) {
  return static_cast<const char*>(view(args).data);
}

std::vector<sbx_bytes> views(const Attachments& attachments) {
  std::vector<sbx_bytes> result;
  for (const py::bytes& attachment : attachments) result.push_back(view(attachment));
  return result;
}

}  // namespace

Engine::Engine(const Pairs& options, int log_level) {
  const std::unique_ptr<sbx_config, decltype(&sbx_config_free)> config(sbx_config_new(),
                                                                       sbx_config_free);
  if (!config) throw std::bad_alloc();
  for (const auto& [name, value] : options) {
    check(sbx_config_set(config.get(), c_text(name), c_text(value)));
  }
  check(sbx_config_set_log_level(config.get(), log_level));
  const sbx_callbacks callbacks = callbacks_for(hooks_);
  check(sbx_engine_create(config.get(), &callbacks, &engine_));
  hooks_.engine = engine_;
}

Engine::~Engine() {
  destroy();
}

void Engine::run() {
  sbx_engine* const running = engine();
  sbx_error error = SBX_OK;
  std::string text;  // sbx_last_error() may change once other Python code runs on this thread
  {
    const py::gil_scoped_release released;
    error = sbx_engine_run(running);
    if (error != SBX_OK) text = sbx_last_error();
  }
  if (error != SBX_OK) throw Failure(error, text);
}

void Engine::stop() {
  if (engine_ != nullptr) check(sbx_engine_stop(engine_));
}

void Engine::destroy() {
  if (sbx_engine* const gone = std::exchange(engine_, nullptr)) {
    const py::gil_scoped_release released;
    sbx_engine_destroy(gone);
  }
  clear();
}

uint16_t Engine::port() const {
  return sbx_engine_port(engine_);
}

std::map<std::string, uint64_t> Engine::counters() const {
  std::map<std::string, uint64_t> counters;
  sbx_counter_info info{};
  info.size = sizeof info;
  for (size_t i = 0; i < sbx_counter_count(); ++i) {
    check(sbx_counter_get(i, &info));
    check(sbx_engine_counter(engine(), i, &counters[info.name]));
  }
  return counters;
}

void Engine::set(const std::string& name, const std::string& value) {
  check(sbx_engine_set(engine(), c_text(name), c_text(value)));
}

void Engine::share_port(const Engine& other) {
  check(sbx_engine_share_port(engine(), other.engine()));
}

void Engine::set_hook(const std::string& name, py::object function) {
  static const std::map<std::string, Function Hooks::*> kHooks = {
      {"log", &Hooks::log},
      {"started", &Hooks::started},
      {"joined", &Hooks::joined},
      {"room_created", &Hooks::room_created},
      {"left", &Hooks::left},
      {"refused", &Hooks::refused},
      {"creating", &Hooks::creating},
      {"joining", &Hooks::joining},
      {"abandoned", &Hooks::abandoned},
  };
  (hooks_.*kHooks.at(name)).set(std::move(function));
}

void Engine::add_namespace(const std::string& name, py::object connecting, py::object connected,
                           py::object disconnected, py::object event) {
  sbx_engine* const serving = engine();
  Namespace& functions = namespaces_[name];
  functions.engine = serving;
  functions.connecting.set(std::move(connecting));
  functions.connected.set(std::move(connected));
  functions.disconnected.set(std::move(disconnected));
  functions.event.set(std::move(event));
  const sbx_namespace callbacks = callbacks_for(functions);
  check(sbx_engine_add_namespace(serving, c_text(name), &callbacks));
}

void Engine::on(const std::string& nsp, const std::string& event, py::object function) {
  Function& entry = events_[{nsp, event}];
  check(sbx_engine_on(engine(), c_text(nsp), c_text(event), on_event, &entry));
  entry.set(std::move(function));
}

void Engine::mount(const std::string& prefix, py::object function) {
  Function& entry = mounts_[prefix];
  check(sbx_engine_mount(engine(), c_text(prefix), on_http_request, &entry));
  entry.set(std::move(function));
}

void Engine::emit(const std::string& socket, const std::string& event, const Arguments& args,
                  const Attachments& attachments) {
  check(sbx_emit(engine(), c_text(socket), c_text(event), c_text(args), views(attachments).data(),
                 attachments.size()));
}

void Engine::emit_with_ack(const std::string& socket, const std::string& event,
                           const Arguments& args, const Attachments& attachments,
                           int64_t timeout_ms, py::object function) {
  // The library refuses 0, as it does what is too long.
  const bool fits = timeout_ms > 0 && timeout_ms <= UINT32_MAX;
  check(sbx_emit_with_ack(engine(), c_text(socket), c_text(event), c_text(args),
                          views(attachments).data(), attachments.size(),
                          fits ? static_cast<uint32_t>(timeout_ms) : 0, on_answer, function.ptr()));
  function.release();  // on_answer gives the reference back; it waits for the GIL that we hold
}

void Engine::broadcast(const std::string& nsp, const std::optional<std::string>& room,
                       const std::optional<std::string>& except, const std::string& event,
                       const Arguments& args, const Attachments& attachments) {
  check(sbx_broadcast(engine(), c_text(nsp), c_text(room), c_text(except), c_text(event),
                      c_text(args), views(attachments).data(), attachments.size()));
}

void Engine::broadcast_to_peers(const std::string& room, const std::optional<std::string>& except,
                                const std::string& event, const Arguments& args,
                                const Attachments& attachments) {
  check(sbx_broadcast_to_peers(engine(), c_text(room), c_text(except), c_text(event), c_text(args),
                               views(attachments).data(), attachments.size()));
}

void Engine::ack(const std::string& socket, uint64_t ack, const Arguments& args,
                 const Attachments& attachments) {
  check(sbx_ack(engine(), c_text(socket), ack, c_text(args), views(attachments).data(),
                attachments.size()));
}

void Engine::accept(uint64_t ticket) {
  check(sbx_accept(engine(), ticket));
}

void Engine::refuse(uint64_t ticket, const std::string& message,
                    const std::optional<std::string>& data) {
  check(sbx_refuse(engine(), ticket, c_text(message), c_text(data)));
}

void Engine::disconnect(const std::string& socket, bool close) {
  check(sbx_disconnect(engine(), c_text(socket), close ? 1 : 0));
}

void Engine::join(const std::string& socket, const std::string& room) {
  check(sbx_join(engine(), c_text(socket), c_text(room)));
}

void Engine::leave(const std::string& socket, const std::string& room) {
  check(sbx_leave(engine(), c_text(socket), c_text(room)));
}

void Engine::set_data(const std::string& socket, py::object data) {
  check(sbx_set_data(engine(), c_text(socket), data.ptr(), release_object));
  data.release();  // release_object gives the reference back; it waits for the GIL that we hold
}

void Engine::respond(uint64_t ticket, int status, const Pairs& headers, const py::bytes& body) {
  std::vector<sbx_pair> pairs;
  for (const auto& [name, value] : headers) pairs.push_back({c_text(name), c_text(value)});
  const sbx_bytes content = view(body);
  check(sbx_http_respond(engine(), ticket, status, pairs.data(), pairs.size(), content.data,
                         content.size));
}

sbx_engine* Engine::engine() const {
  if (engine_ == nullptr) throw Failure(SBX_E_STATE, "the engine has ended");
  return engine_;
}

template <typename Visit>
void Engine::for_each_function(Visit&& visit) {
  for (Function* hook :
       {&hooks_.log, &hooks_.started, &hooks_.room_created, &hooks_.joined, &hooks_.left,
        &hooks_.refused, &hooks_.creating, &hooks_.joining, &hooks_.abandoned}) {
    visit(*hook);
  }
  for (auto& [name, functions] : namespaces_) {
    visit(functions.connecting);
    visit(functions.connected);
    visit(functions.disconnected);
    visit(functions.event);
  }
  for (auto& [key, function] : events_) visit(function);
  for (auto& [prefix, function] : mounts_) visit(function);
}

int Engine::traverse(visitproc visit, void* arg) {
  int result = 0;
  for_each_function([&](const Function& function) {
    if (result == 0 && function.get()) result = visit(function.get().ptr(), arg);
  });
  return result;
}

void Engine::clear() {
  // Letting go of one may run Python code that comes back here: first take all, then let go.
  std::vector<py::object> gone;
  for_each_function([&](Function& function) {
    gone.push_back(function.get());
    function.set(py::none());
  });
}

}  // namespace signalbox::python
