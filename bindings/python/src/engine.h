// The engine as Python holds it: an sbx_engine and the Python functions that its callbacks call.
//
// Thread: any that holds the GIL. run() and destroy() let go of it; callbacks take it for as long
// as their Python function runs. All other functions keep it, so that destroy() on one thread and a
// call on another cannot meet.
// Owner: the Python object, which the garbage collector can see through (traverse, clear).
#pragma once

#include <pybind11/pybind11.h>
#include <signalbox.h>

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::python {

namespace py = pybind11;

// A Python function that an sbx callback calls, if there is one: what its `user` points to.
class Function {
 public:
  void set(py::object function) {
    function_ = function.is_none() ? py::object() : std::move(function);
    is_set_ = static_cast<bool>(function_);
  }
  // The only function that may be called without the GIL.
  bool is_set() const { return is_set_; }
  const py::object& get() const { return function_; }

 private:
  py::object function_;
  std::atomic<bool> is_set_ = false;
};

// What sbx_callbacks leads to.
struct Hooks {
  sbx_engine* engine = nullptr;
  Function log, started, room_created, joined, left, refused, creating, joining, abandoned;
};

// What an sbx_namespace leads to.
struct Namespace {
  sbx_engine* engine = nullptr;
  Function connecting, connected, disconnected, event;
};

// JSON text with its attachments.
using Arguments = py::bytes;
using Attachments = std::vector<py::bytes>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

class Engine {
 public:
  Engine(const Pairs& options, int log_level);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Serves on this thread until stopped.
  void run();
  void stop();
  // Frees the engine and lets go of all functions. Again: nothing happens.
  void destroy();
  uint16_t port() const;
  std::map<std::string, uint64_t> counters() const;
  void set(const std::string& name, const std::string& value);
  void share_port(const Engine& other);

  // `name` is that of a member of Hooks; a function of None takes the hook away.
  void set_hook(const std::string& name, py::object function);
  void add_namespace(const std::string& name, py::object connecting, py::object connected,
                     py::object disconnected, py::object event);
  void on(const std::string& nsp, const std::string& event, py::object function);
  void mount(const std::string& prefix, py::object function);

  void emit(const std::string& socket, const std::string& event, const Arguments& args,
            const Attachments& attachments);
  // `function` is called once, with (status, args, attachments).
  void emit_with_ack(const std::string& socket, const std::string& event, const Arguments& args,
                     const Attachments& attachments, int64_t timeout_ms, py::object function);
  void broadcast(const std::string& nsp, const std::optional<std::string>& room,
                 const std::optional<std::string>& except, const std::string& event,
                 const Arguments& args, const Attachments& attachments);
  void broadcast_to_peers(const std::string& room, const std::optional<std::string>& except,
                          const std::string& event, const Arguments& args,
                          const Attachments& attachments);
  void ack(const std::string& socket, uint64_t ack, const Arguments& args,
           const Attachments& attachments);
  void accept(uint64_t ticket);
  void refuse(uint64_t ticket, const std::string& message, const std::optional<std::string>& data);
  void disconnect(const std::string& socket, bool close);
  void join(const std::string& socket, const std::string& room);
  void leave(const std::string& socket, const std::string& room);
  // The engine keeps a reference to `data` until the socket has gone.
  void set_data(const std::string& socket, py::object data);
  void respond(uint64_t ticket, int status, const Pairs& headers, const py::bytes& body);

  // For the garbage collector: the functions, of which some may lead back to this engine.
  int traverse(visitproc visit, void* arg);
  void clear();

 private:
  // Throws SBX_E_STATE once destroyed.
  sbx_engine* engine() const;
  template <typename Visit>
  void for_each_function(Visit&& visit);

  sbx_engine* engine_ = nullptr;
  Hooks hooks_;
  // Entries are never taken out: the library may hold their addresses as `user`.
  std::map<std::string, Namespace> namespaces_;
  std::map<std::pair<std::string, std::string>, Function> events_;
  std::map<std::string, Function> mounts_;
};

}  // namespace signalbox::python
