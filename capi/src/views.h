// The structs that callbacks are handed, made from what the engine knows. Each view owns the memory
// that its struct points to, as far as it is not the engine's.
//
// Thread: the loop's.
// Owner: the caller, for the length of a callback.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/host/program.h"
#include "signalbox.h"

namespace signalbox::capi {

class ConnectView {
 public:
  explicit ConnectView(const host::ConnectRequest& request);
  const sbx_connect* get() const { return &view_; }

 private:
  std::string address_;
  std::vector<sbx_pair> headers_;
  std::vector<sbx_pair> query_;
  sbx_connect view_{};
};

class SocketView {
 public:
  explicit SocketView(const host::SocketNews& news);
  const sbx_socket* get() const { return &view_; }

 private:
  std::string address_;
  std::string reason_;
  sbx_socket view_{};
};

class EventView {
 public:
  explicit EventView(const host::EventNews& news);
  const sbx_event* get() const { return &view_; }

 private:
  std::string args_;
  std::vector<sbx_bytes> attachments_;
  sbx_event view_{};
};

class AnswerView {
 public:
  AnswerView(const std::string& socket, const socketio::AckOutcome& outcome);
  const sbx_answer* get() const { return &view_; }

 private:
  std::string args_;
  std::vector<sbx_bytes> attachments_;
  sbx_answer view_{};
};

class RoomView {
 public:
  explicit RoomView(const host::RoomRequest& request);
  const sbx_room_request* get() const { return &view_; }

 private:
  std::string address_;
  std::vector<sbx_pair> headers_;
  std::vector<sbx_pair> query_;
  sbx_room_request view_{};
};

class HttpView {
 public:
  explicit HttpView(const host::HttpNews& news);
  const sbx_http_request* get() const { return &view_; }

 private:
  std::string address_;
  std::vector<sbx_pair> headers_;
  std::vector<sbx_pair> query_;
  sbx_http_request view_{};
};

}  // namespace signalbox::capi
