#include "engine/host/message.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/core/http_token.h"
#include "engine/core/json.h"
#include "engine/core/utf8.h"
#include "engine/socketio/packet.h"

namespace signalbox::host {
namespace {

constexpr size_t kMostBytesOfName = 128;
constexpr size_t kMostBytesOfRoom = 256;

Status invalid(std::string text) {
  return {ErrorCode::kInvalid, std::move(text)};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// The arguments as a validated JSON array without white space around it.
Status check_arguments(std::string_view arguments, size_t attachments, std::string_view& array) {
  if (!utf8_valid(arguments)) return invalid("args is not UTF-8");
  const json::Value value = json::scan_document(arguments);
  if (value.type != json::Type::kArray) {
    return invalid("args is not the text of a JSON array (at most " +
                   std::to_string(json::kMaxDepth) + " levels deep)");
  }
  if (attachments != 0 && !socketio::placeholders_valid(value.text, attachments)) {
    return invalid("args does not have a place for each of the " + std::to_string(attachments) +
                   " attachments, and for no other: {\"_placeholder\":true,\"num\":n}");
  }
  array = value.text;
  return {};
}

}  // namespace

Status make_event(std::string_view name, std::string_view arguments,
                  std::vector<std::string> attachments, Message& message) {
  Status status = check_event(name);
  std::string_view array;
  if (status.ok()) status = check_arguments(arguments, attachments.size(), array);
  if (!status.ok()) return status;
  std::array<json::Value, 1> first;
  const bool empty = json::scan_array(array, first).value_or(0) == 0;
  message.payload.reserve(name.size() + array.size() + 8);
  message.payload = '[';
  json::append_string(message.payload, name);
  if (empty) {
    message.payload += ']';
  } else {
    message.payload += ',';
    message.payload += array.substr(1);
  }
  message.attachments = std::move(attachments);
  return {};
}

Status make_ack(std::string_view arguments, std::vector<std::string> attachments,
                Message& message) {
  std::string_view array;
  const Status status = check_arguments(arguments, attachments.size(), array);
  if (!status.ok()) return status;
  message.payload = array;
  message.attachments = std::move(attachments);
  return {};
}

Status check_namespace(std::string_view name) {
  const bool allowed = name.starts_with('/') && name.size() <= kMostBytesOfName &&
                       utf8_valid(name) && std::none_of(name.begin(), name.end(), [](char c) {
                         return c == ',' || c == '?' || is_control(c);
                       });
  if (allowed) return {};
  return invalid("'" + std::string(name) +
                 "' is no name of a namespace: '/' and up to 127 more bytes of UTF-8 without ',', "
                 "'?' and control characters");
}

Status check_event(std::string_view name) {
  if (!utf8_valid(name)) return invalid("the name of the event is not UTF-8");
  if (socketio::reserved_event(name)) {
    return invalid("the event '" + std::string(name) + "' is reserved by Socket.IO");
  }
  return {};
}

Status check_room(std::string_view name) {
  if (!name.empty() && name.size() <= kMostBytesOfRoom && utf8_valid(name)) return {};
  return invalid("a room's name has 1 to 256 bytes of UTF-8");
}

Status check_prefix(std::string_view prefix) {
  const bool allowed =
      prefix == "/" || (prefix.starts_with('/') && !prefix.ends_with('/') && utf8_valid(prefix));
  if (allowed) return {};
  return invalid("'" + std::string(prefix) +
                 "' is no path: it begins with '/' and, unless it is '/', ends without one");
}

Status add_header(net::Response& response, std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 5> kOurs = {"content-length", "connection", "keep-alive",
                                                     "transfer-encoding", "upgrade"};
  const auto is = [&](std::string_view other) {
    return name.size() == other.size() && strncasecmp(name.data(), other.data(), name.size()) == 0;
  };
  if (!is_http_token(name)) return invalid("'" + std::string(name) + "' is no name of a header");
  if (std::any_of(kOurs.begin(), kOurs.end(), is) ||
      (name.size() > 15 && strncasecmp(name.data(), "access-control-", 15) == 0)) {
    return invalid("the header '" + std::string(name) + "' is the server's to set");
  }
  const auto is_allowed = [](char c) { return !is_control(c) || c == '\t'; };
  if (!std::all_of(value.begin(), value.end(), is_allowed)) {
    return invalid("the value of the header '" + std::string(name) + "' has control characters");
  }
  if (is("content-type")) {
    response.content_type = value;
    return {};
  }
  response.headers += name;
  response.headers += ": ";
  response.headers += value;
  response.headers += "\r\n";
  return {};
}

}  // namespace signalbox::host
