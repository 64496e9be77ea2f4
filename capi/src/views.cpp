#include "capi/src/views.h"

namespace signalbox::capi {
namespace {

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

// Without those that a C string would show as something else.
std::vector<sbx_pair> pairs_of(const net::Fields& fields) {
  std::vector<sbx_pair> pairs;
  pairs.reserve(fields.size());
  for (const auto& [name, value] : fields) {
    if (!has_nul(name) && !has_nul(value)) pairs.push_back({name.c_str(), value.c_str()});
  }
  return pairs;
}

std::vector<sbx_bytes> bytes_of(std::span<const std::string> attachments) {
  std::vector<sbx_bytes> bytes;
  bytes.reserve(attachments.size());
  for (const std::string& each : attachments) bytes.push_back({each.data(), each.size()});
  return bytes;
}

sbx_error status_of(socketio::AckOutcome::Kind kind) {
  switch (kind) {
    case socketio::AckOutcome::Kind::kAnswered:
      return SBX_OK;
    case socketio::AckOutcome::Kind::kTimedOut:
      return SBX_E_TIMEOUT;
    case socketio::AckOutcome::Kind::kGone:
      return SBX_E_GONE;
  }
  return SBX_E_INTERNAL;
}

}  // namespace

ConnectView::ConnectView(const host::ConnectRequest& request)
    : address_(request.connecting.session().client().to_string()) {
  if (const engineio::Handshake* handshake = request.connecting.session().handshake()) {
    headers_ = pairs_of(handshake->headers);
    query_ = pairs_of(handshake->query);
  }
  view_.size = sizeof view_;
  view_.ticket = request.ticket;
  view_.nsp = request.connecting.nsp().name().c_str();
  view_.socket = request.connecting.socket_id().c_str();
  view_.auth = request.connecting.auth().c_str();
  view_.address = address_.c_str();
  view_.headers = headers_.data();
  view_.header_count = headers_.size();
  view_.query = query_.data();
  view_.query_count = query_.size();
}

SocketView::SocketView(const host::SocketNews& news)
    : address_(news.socket.address().to_string()), reason_(news.reason) {
  view_.size = sizeof view_;
  view_.nsp = news.socket.nsp().name().c_str();
  view_.socket = news.socket.id().c_str();
  view_.address = address_.c_str();
  view_.reason = reason_.empty() ? nullptr : reason_.c_str();
  view_.data = news.data;
}

EventView::EventView(const host::EventNews& news) : attachments_(bytes_of(news.attachments)) {
  args_.reserve(news.event.arguments.size() + 2);
  args_ += '[';
  args_ += news.event.arguments;
  args_ += ']';
  view_.size = sizeof view_;
  view_.nsp = news.socket.nsp().name().c_str();
  view_.socket = news.socket.id().c_str();
  view_.name = news.event.name.c_str();
  view_.args = args_.c_str();
  view_.args_length = args_.size();
  view_.attachments = attachments_.data();
  view_.attachment_count = attachments_.size();
  view_.ack = news.ack;
  view_.data = news.data;
}

AnswerView::AnswerView(const std::string& socket, const socketio::AckOutcome& outcome)
    : args_(outcome.arguments), attachments_(bytes_of(outcome.attachments)) {
  view_.size = sizeof view_;
  view_.status = status_of(outcome.kind);
  view_.socket = socket.c_str();
  view_.args = args_.c_str();
  view_.args_length = args_.size();
  view_.attachments = attachments_.data();
  view_.attachment_count = attachments_.size();
}

RoomView::RoomView(const host::RoomRequest& request) : address_(request.client.to_string()) {
  if (request.http != nullptr) {
    headers_ = pairs_of(request.http->headers);
    query_ = pairs_of(request.http->query);
  }
  view_.size = sizeof view_;
  view_.ticket = request.ticket;
  view_.room = request.room.c_str();
  view_.headers = headers_.data();
  view_.header_count = headers_.size();
  view_.query = query_.data();
  view_.query_count = query_.size();
  view_.socket = request.socket != nullptr ? request.socket->id().c_str() : nullptr;
  view_.address = address_.c_str();
  view_.data = request.data;
}

HttpView::HttpView(const host::HttpNews& news)
    : address_(news.request.client.to_string()),
      headers_(pairs_of(news.request.headers)),
      query_(pairs_of(news.request.query)) {
  view_.size = sizeof view_;
  view_.ticket = news.ticket;
  view_.method = net::method_name(news.request.method);
  view_.path = news.request.path.c_str();
  view_.address = address_.c_str();
  view_.headers = headers_.data();
  view_.header_count = headers_.size();
  view_.query = query_.data();
  view_.query_count = query_.size();
  view_.body = {news.request.body.data(), news.request.body.size()};
}

}  // namespace signalbox::capi
