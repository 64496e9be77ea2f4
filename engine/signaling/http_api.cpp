#include "engine/signaling/http_api.h"

#include <strings.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "engine/core/id.h"
#include "engine/core/utf8.h"
#include "engine/signaling/room_id.h"
#include "engine/signaling/time_text.h"

namespace signalbox::signaling {
namespace {

constexpr size_t kRejoinableLength = 8;  // an id this long is nobody's by chance: creating it again
                                         // is coming back to it
constexpr int kNumericTries = 10;
constexpr int kAlphanumericTries = 50;
constexpr size_t kRandomRoomLength = 4;
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kAlphanumeric =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr size_t kMaxReferrerLength = 256;
constexpr size_t kMaxLoggedLength = 4096;

constexpr std::string_view kRoomMissing = "Room ID is required";
constexpr std::string_view kLeaveMissing = "Room ID and Socket ID are required";

// An object that begins as `head` and goes on with one more member, a text.
net::Response answer(int status, std::string_view head, std::string_view member,
                     std::string_view text) {
  std::string body(head);
  json::append_string(body, member);
  body += ':';
  json::append_string(body, text);
  body += '}';
  return {.status = status, .body = std::move(body)};
}

net::Response error(int status, std::string_view text) {
  return answer(status, "{", "error", text);
}

net::Response outcome(bool success, std::string_view message) {
  return answer(200, success ? R"({"success":true,)" : R"({"success":false,)", "message", message);
}

net::Response done() {
  return {.body = R"({"success":true})"};
}

net::Response track_error(int status, std::string_view text) {
  return answer(status, R"({"success":false,)", "error", text);
}

bool says_json(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  return content_type.size() >= kJson.size() &&
         strncasecmp(content_type.data(), kJson.data(), kJson.size()) == 0 &&
         (content_type.size() == kJson.size() || content_type[kJson.size()] == ';' ||
          content_type[kJson.size()] == ' ');
}

// The body as a JSON object; one of another type, or none, counts as an empty object (as in
// Express).
std::string_view object_of(const net::Request& request) {
  return says_json(request.content_type) && !request.body.empty()
             ? json::scan_document(request.body).text
             : std::string_view("{}");
}

// The day of a `timestamp`: milliseconds since the epoch, as number, or a date as text.
std::optional<std::string> day_of(const json::Value& timestamp) {
  if (timestamp.type == json::Type::kNumber) {
    double ms = 0;
    const char* end = timestamp.text.data() + timestamp.text.size();
    const auto parsed = std::from_chars(timestamp.text.data(), end, ms);
    if (parsed.ec != std::errc() || !expressible(ms)) return std::nullopt;
    return day_text(static_cast<int64_t>(std::floor(ms)));
  }
  std::string text;
  if (!json::decode_string(timestamp.text, text)) return std::nullopt;
  const auto ms = parse_iso(text);
  if (!ms) return std::nullopt;
  return day_text(*ms);
}

// A value as JavaScript's template literals would show a simple one.
std::string display(const json::Value& value) {
  std::string text;
  if (!value.present()) return "undefined";
  if (!json::decode_string(value.text, text)) text = value.text;
  if (text.size() > kMaxLoggedLength) {
    text.resize(kMaxLoggedLength);
    text += "...";
  }
  return text;
}

}  // namespace

struct HttpApi::Route {
  std::string_view path;
  bool post;
  void (HttpApi::*handle)(const ExchangePointer& exchange);
};

HttpApi::HttpApi(const Log& log, const Options& options, Counters& counters, store::Rooms& rooms,
                 store::Referrers& referrers, Application& application, const Health& health,
                 const RoomHooks& hooks)
    : log_(log),
      options_(options),
      counters_(counters),
      rooms_(rooms),
      referrers_(referrers),
      application_(application),
      health_(health),
      hooks_(hooks) {}

const HttpApi::Route* HttpApi::find_route(std::string_view path) {
  static constexpr std::array<Route, 9> kRoutes = {{
      {"/api/create_room", true, &HttpApi::create_room},
      {"/api/get_room", false, &HttpApi::get_room},
      {"/api/check_room", true, &HttpApi::check_room},
      {"/api/leave_room", true, &HttpApi::leave_room},
      {"/api/set_track", true, &HttpApi::set_track},
      {"/api/logs_debug", true, &HttpApi::log_debug},
      {"/health", false, &HttpApi::brief_health},
      {"/api/health", false, &HttpApi::brief_health},
      {"/health/detailed", false, &HttpApi::detailed_health},
  }};
  // Like Express: one slash at the end and the case of letters do not matter.
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const Route& route : kRoutes) {
    if (route.path.size() == path.size() &&
        strncasecmp(route.path.data(), path.data(), path.size()) == 0) {
      return &route;
    }
  }
  return nullptr;
}

void HttpApi::on_request(const ExchangePointer& exchange) {
  const net::Request& request = exchange->request();
  const Route* route = find_route(request.path);
  const bool allowed =
      route->post ? request.method == net::Method::kPost
                  : request.method == net::Method::kGet || request.method == net::Method::kHead;
  if (!allowed) {
    net::Response response = error(405, "Method not allowed");
    response.headers = route->post ? "Allow: POST, OPTIONS\r\n" : "Allow: GET, HEAD, OPTIONS\r\n";
    exchange->respond(std::move(response));
    return;
  }
  if (route->post && says_json(request.content_type) && !request.body.empty() &&
      (!utf8_valid(request.body) ||
       json::scan_document(request.body).type != json::Type::kObject)) {
    exchange->respond(error(400, "The body must be a JSON object"));
    return;
  }
  (this->*route->handle)(exchange);
}

std::optional<std::string> HttpApi::room_id(const ExchangePointer& exchange, std::string_view body,
                                            std::string_view missing) {
  std::array<json::Member, 1> found = {{{"roomId", {}}}};
  json::scan_object(body, found);
  const json::Value& value = found[0].value;
  std::string room;
  const bool decoded = json::decode_string(value.text, room);
  if (decoded && room_id_valid(room)) return room;
  const bool absent =
      !value.present() || value.type == json::Type::kNull || (decoded && room.empty());
  exchange->respond(error(400, absent ? missing : kRoomIdRule));
  return std::nullopt;
}

void HttpApi::answer_unavailable(const ExchangePointer& exchange) {
  ++counters_.redis_unavailable;
  exchange->respond(error(500, "Internal server error"));
}

void HttpApi::create(const ExchangePointer& exchange, const std::string& room,
                     std::function<void(store::CreateResult result)> done,
                     std::function<void(const std::string& why)> refused) {
  auto go_on = [this, exchange, room, done = std::move(done)] {
    rooms_.create(room, [this, exchange, room, done](store::CreateResult result) {
      if (result == store::CreateResult::kUnavailable) {
        answer_unavailable(exchange);
        return;
      }
      if (result == store::CreateResult::kCreated) {
        ++counters_.rooms_created;
        if (hooks_.created) hooks_.created(room);
      }
      done(result);
    });
  };
  if (!hooks_.creating) {
    go_on();
    return;
  }
  const uint64_t question =
      hooks_.creating(room, exchange->request(),
                      [go_on = std::move(go_on), refused = std::move(refused)](
                          const Verdict& refusal) { refusal ? refused(*refusal) : go_on(); });
  exchange->set_on_abort([this, question] { hooks_.withdraw(question); });
}

void HttpApi::create_room(const ExchangePointer& exchange) {
  const auto room = room_id(exchange, object_of(exchange->request()), kRoomMissing);
  if (!room) return;
  create(
      exchange, *room,
      [exchange, room = *room](store::CreateResult result) {
        if (result == store::CreateResult::kCreated) {
          exchange->respond(outcome(true, "create room success"));
        } else {
          exchange->respond(character_count(room) >= kRejoinableLength
                                ? outcome(true, "room exists (rejoin allowed)")
                                : outcome(false, "roomId is already exists"));
        }
      },
      [exchange](const std::string& why) { exchange->respond(outcome(false, why)); });
}

void HttpApi::get_room(const ExchangePointer& exchange) {
  try_room(exchange, 0);
}

void HttpApi::try_room(const ExchangePointer& exchange, int attempt) {
  if (attempt == kNumericTries + kAlphanumericTries) {
    exchange->respond(error(500, "Internal server error"));
    return;
  }
  const std::string room =
      random_text(kRandomRoomLength, attempt < kNumericTries ? kDigits : kAlphanumeric);
  create(
      exchange, room,
      [this, exchange, room, attempt](store::CreateResult result) {
        if (result == store::CreateResult::kCreated) {
          exchange->respond({.body = "{\"roomId\":\"" + room + "\"}"});
        } else {
          try_room(exchange, attempt + 1);
        }
      },
      [exchange](const std::string& why) { exchange->respond(error(403, why)); });
}

void HttpApi::check_room(const ExchangePointer& exchange) {
  const auto room = room_id(exchange, object_of(exchange->request()), kRoomMissing);
  if (!room) return;
  rooms_.check(*room, [this, exchange](store::CheckResult result) {
    if (result == store::CheckResult::kUnavailable) {
      answer_unavailable(exchange);
      return;
    }
    exchange->respond({.body = result == store::CheckResult::kAbsent ? "{\"available\":true}"
                                                                     : "{\"available\":false}"});
  });
}

void HttpApi::leave_room(const ExchangePointer& exchange) {
  const std::string_view body = object_of(exchange->request());
  std::array<json::Member, 1> found = {{{"socketId", {}}}};
  json::scan_object(body, found);
  std::string socket;
  if (!json::decode_string(found[0].value.text, socket) || socket.empty()) {
    exchange->respond(error(400, kLeaveMissing));
    return;
  }
  const auto room = room_id(exchange, body, kLeaveMissing);
  if (!room) return;
  rooms_.leave(*room, socket,
               [this, exchange, room = *room, socket](const store::LeaveReply& reply) {
                 switch (reply.result) {
                   case store::LeaveReply::Result::kRoomAbsent:
                     exchange->respond(outcome(true, "Room does not exist."));
                     return;
                   case store::LeaveReply::Result::kLeft:
                     application_.on_evicted(room, socket);
                     exchange->respond(outcome(true, "Successfully left the room"));
                     return;
                   case store::LeaveReply::Result::kNotMember:
                     exchange->respond(outcome(true, "Successfully left the room"));
                     return;
                   case store::LeaveReply::Result::kLost:
                   case store::LeaveReply::Result::kUnavailable:
                     answer_unavailable(exchange);
                     return;
                 }
               });
}

void HttpApi::set_track(const ExchangePointer& exchange) {
  std::array<json::Member, 2> found = {{{"ref", {}}, {"timestamp", {}}}};
  json::scan_object(object_of(exchange->request()), found);
  std::string ref;
  if (!json::decode_string(found[0].value.text, ref) || ref.empty() ||
      ref.size() > kMaxReferrerLength) {
    exchange->respond(track_error(400, "ref must be a string of 1 to 256 bytes"));
    return;
  }
  const auto day = day_of(found[1].value);
  if (!day) {
    exchange->respond(
        track_error(400, "timestamp must be milliseconds since the epoch or an ISO 8601 date"));
    return;
  }
  referrers_.count(ref, *day, [this, exchange](bool ok) {
    if (!ok) ++counters_.redis_unavailable;
    exchange->respond(ok ? done() : track_error(500, "Failed to track referrer"));
  });
}

void HttpApi::log_debug(const ExchangePointer& exchange) {
  std::array<json::Member, 2> found = {{{"message", {}}, {"timestamp", {}}}};
  json::scan_object(object_of(exchange->request()), found);
  log_.info("logs----timestamp:" + display(found[1].value) + " message:" + display(found[0].value));
  exchange->respond(done());
}

void HttpApi::brief_health(const ExchangePointer& exchange) {
  exchange->respond(health_.brief());
}

void HttpApi::detailed_health(const ExchangePointer& exchange) {
  health_.detailed([exchange](net::Response response) { exchange->respond(std::move(response)); });
}

}  // namespace signalbox::signaling
