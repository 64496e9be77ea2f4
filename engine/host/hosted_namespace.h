// One namespace as the host sees it: its handlers, the rooms that it keeps there, and the data that
// it has attached to sockets. On the room application's namespace that application comes first.
//
// Thread: the loop's.
// Owner: the Host.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/host/elsewhere.h"
#include "engine/host/program.h"
#include "engine/host/tickets.h"
#include "engine/socketio/namespace.h"
#include "engine/socketio/room_index.h"

namespace signalbox::host {

class HostedNamespace : public socketio::NamespaceHandler {
 public:
  // Keeps references to `program`, in which the handlers are looked up by name, and `tickets`.
  HostedNamespace(Loop& loop, const Program& program, Tickets& tickets, std::string name)
      : loop_(loop), program_(program), tickets_(tickets), name_(std::move(name)) {}

  void set_application(socketio::NamespaceHandler& application) { application_ = &application; }

  // Begins to listen to what other nodes send to the namespace.
  void set_elsewhere(Elsewhere& elsewhere);

  void on_connecting(const std::shared_ptr<socketio::Connecting>& connecting) override;
  void on_connect(socketio::Socket& socket) override;
  bool on_event(socketio::Socket& socket, const socketio::Event& event,
                std::span<const std::string> attachments, std::optional<uint64_t> ack) override;
  void on_disconnect(socketio::Socket& socket, std::string_view reason) override;
  bool busy(const socketio::Socket& socket) const override {
    return application_ != nullptr && application_->busy(socket);
  }

  void join(socketio::Socket& socket, const std::string& room);
  void leave(socketio::Socket& socket, const std::string& room);
  std::vector<socketio::Socket*> in(const std::string& room) const { return rooms_.in(room); }

  void* data(const socketio::Socket& socket) const;
  void set_data(const socketio::Socket& socket, void* data, std::function<void(void*)> release);
  // The same for a socket that waits to be let in: false when there is none of that id.
  bool set_early_data(const std::string& id, void* data, const std::function<void(void*)>& release);

 private:
  // Something of the host's that it gets back when it is replaced or not wanted any more.
  class Data {
   public:
    Data() = default;
    Data(void* data, std::function<void(void*)> release)
        : data_(data), release_(std::move(release)) {}
    Data(Data&& other) noexcept { *this = std::move(other); }
    Data& operator=(Data&& other) noexcept {
      std::swap(data_, other.data_);
      std::swap(release_, other.release_);
      return *this;
    }
    ~Data() {
      if (release_) release_(data_);
    }
    void* get() const { return data_; }
    bool set() const { return data_ != nullptr || release_ != nullptr; }

   private:
    void* data_ = nullptr;
    std::function<void(void*)> release_;
  };
  // What the host has added to a socket.
  struct Addition {
    Data data;
    std::vector<std::string> rooms;
  };
  void remove(socketio::Socket& socket, const std::string& room);
  void ignore_if_empty(const std::string& room);
  // The handlers of this namespace, or null.
  const NamespaceProgram* handlers() const;

  Loop& loop_;
  const Program& program_;
  Tickets& tickets_;
  const std::string name_;
  socketio::NamespaceHandler* application_ = nullptr;
  Elsewhere* elsewhere_ = nullptr;
  socketio::RoomIndex rooms_;
  std::unordered_map<const socketio::Socket*, Addition> additions_;  // few sockets have one
  std::unordered_map<std::string, Data> waiting_;  // by id: the sockets that wait to be let in
};

}  // namespace signalbox::host
