#include "engine/signaling/http_api.h"

#include <strings.h>

#include <array>
#include <charconv>
#include <utility>

#include "engine/core/id.h"
#include "engine/core/utf8.h"
#include "engine/signaling/request_values.h"
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
constexpr int64_t kLeastCapacity = 2;
constexpr size_t kMaxReferrerLength = 256;

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

// What counts the requests of a client's address.
std::string who(const std::shared_ptr<net::HttpExchange>& exchange) {
  return exchange->request().client.limit_key();
}

}  // namespace

struct HttpApi::Route {
  std::string_view path;
  bool post;
  void (HttpApi::*handle)(const ExchangePointer& exchange);
};

HttpApi::HttpApi(Log& log, const Options& options, Counters& counters, store::Rooms& rooms,
                 store::Referrers& referrers, IceServers& ice_servers, Application& application,
                 const Health& health, const RoomHooks& hooks, const Tokens& tokens)
    : log_(log),
      options_(options),
      counters_(counters),
      rooms_(rooms),
      referrers_(referrers),
      ice_servers_(ice_servers),
      application_(application),
      health_(health),
      hooks_(hooks),
      tokens_(tokens) {}

const HttpApi::Route* HttpApi::find_route(std::string_view path) {
  static constexpr std::array<Route, 10> kRoutes = {{
      {"/api/create_room", true, &HttpApi::create_room},
      {"/api/get_room", false, &HttpApi::get_room},
      {"/api/check_room", true, &HttpApi::check_room},
      {"/api/leave_room", true, &HttpApi::leave_room},
      {"/api/set_track", true, &HttpApi::set_track},
      {"/api/ice_servers", false, &HttpApi::give_ice_servers},
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

bool HttpApi::authorized(const ExchangePointer& exchange, std::optional<Claims>& claims) {
  if (!tokens_.required()) return true;
  const std::optional<std::string_view> token = bearer_token(exchange->request());
  std::string why(Tokens::kAbsent);
  if (token) why = tokens_.read(*token, system_now_s(), claims.emplace());
  if (why.empty()) return true;
  ++counters_.tokens_refused;
  net::Response response = error(401, why);
  response.headers = token ? "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"
                           : "WWW-Authenticate: Bearer\r\n";
  exchange->respond(std::move(response));
  return false;
}

bool HttpApi::authorized(const ExchangePointer& exchange, std::string_view room) {
  std::optional<Claims> claims;
  if (!authorized(exchange, claims)) return false;
  const std::string why = tokens_.check(claims, room, system_now_s());
  if (why.empty()) return true;
  ++counters_.tokens_refused;
  exchange->respond(error(403, why));
  return false;
}

void HttpApi::answer_limited(const ExchangePointer& exchange, const store::Refusal& refusal) {
  ++counters_.requests_limited;
  exchange->respond(net::too_many_requests(refusal.retry_after_s));
}

bool HttpApi::read_privacy(const ExchangePointer& exchange, std::string_view body,
                           store::CreateRequest& create) {
  std::array<json::Member, 2> found = {{{"secret", {}}, {"capacity", {}}}};
  json::scan_object(body, found);
  const auto& [secret, capacity] = found;
  if (secret.value.present() && (!json::decode_string(secret.value.text, create.secret) ||
                                 !room_secret_valid(create.secret))) {
    exchange->respond(error(400, kSecretRule));
    return false;
  }
  if (!capacity.value.present()) return true;
  const std::string_view text = capacity.value.text;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), create.capacity);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() &&
      create.capacity >= kLeastCapacity && create.capacity <= options_.limits_room_size) {
    return true;
  }
  exchange->respond(error(
      400, "capacity must be an integer from 2 to " + std::to_string(options_.limits_room_size)));
  return false;
}

void HttpApi::create(const ExchangePointer& exchange, const store::CreateRequest& request,
                     std::function<void(store::CreateResult result)> done,
                     std::function<void(const std::string& why)> refused) {
  const std::string& room = request.room;
  auto go_on = [this, exchange, request, done = std::move(done)] {
    rooms_.create(request,
                  [this, exchange, room = request.room, done](const store::CreateReply& reply) {
                    if (reply.result == store::CreateResult::kUnavailable) {
                      answer_unavailable(exchange);
                      return;
                    }
                    if (reply.result == store::CreateResult::kLimited) {
                      answer_limited(exchange, reply.refusal);
                      return;
                    }
                    if (reply.result == store::CreateResult::kCreated) {
                      ++counters_.rooms_created;
                      if (hooks_.created) hooks_.created(room);
                    }
                    done(reply.result);
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
  const std::string_view body = object_of(exchange->request());
  const auto room = room_id(exchange, body, kRoomMissing);
  if (!room) return;
  if (!authorized(exchange, *room)) return;
  store::CreateRequest request = {.room = *room, .who = who(exchange)};
  if (!read_privacy(exchange, body, request)) return;
  // Who asks for a private room must not take one for it that somebody else has made. The answer
  // does not tell whether the secret is right.
  const bool open = request.secret.empty() && request.capacity == 0;
  const bool rejoinable = open && character_count(*room) >= kRejoinableLength;
  create(
      exchange, request,
      [exchange, rejoinable](store::CreateResult result) {
        if (result == store::CreateResult::kCreated) {
          exchange->respond(outcome(true, "create room success"));
        } else {
          exchange->respond(rejoinable ? outcome(true, "room exists (rejoin allowed)")
                                       : outcome(false, "roomId is already exists"));
        }
      },
      [exchange](const std::string& why) { exchange->respond(outcome(false, why)); });
}

void HttpApi::get_room(const ExchangePointer& exchange) {
  std::optional<Claims> claims;
  if (!authorized(exchange, claims)) return;
  if (claims) {  // for one room, which need not be looked for
    ++counters_.tokens_refused;
    exchange->respond(error(403, "With a token a room is created by its name"));
    return;
  }
  try_room(exchange, 0);
}

void HttpApi::try_room(const ExchangePointer& exchange, int attempt) {
  if (attempt == kNumericTries + kAlphanumericTries) {
    exchange->respond(error(500, "Internal server error"));
    return;
  }
  const std::string room =
      random_text(kRandomRoomLength, attempt < kNumericTries ? kDigits : kAlphanumeric);
  // It is one request, however often we try.
  create(
      exchange, {.room = room, .who = attempt == 0 ? who(exchange) : "", .named = false},
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
  if (!authorized(exchange, *room)) return;
  rooms_.check(*room, who(exchange), [this, exchange](const store::CheckReply& reply) {
    switch (reply.result) {
      case store::CheckResult::kAbsent:
        ++counters_.guesses;
        exchange->respond({.body = "{\"available\":true}"});
        return;
      case store::CheckResult::kPresent:
        exchange->respond({.body = "{\"available\":false}"});
        return;
      case store::CheckResult::kLimited:
        answer_limited(exchange, reply.refusal);
        return;
      case store::CheckResult::kUnavailable:
        answer_unavailable(exchange);
        return;
    }
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
  if (!authorized(exchange, *room)) return;
  rooms_.leave(*room, socket, who(exchange),
               [this, exchange, room = *room, socket](const store::LeaveReply& reply) {
                 switch (reply.result) {
                   case store::LeaveReply::Result::kLimited:
                     answer_limited(exchange, reply.refusal);
                     return;
                   case store::LeaveReply::Result::kRoomAbsent:
                     ++counters_.guesses;
                     exchange->respond(outcome(true, "Room does not exist."));
                     return;
                   case store::LeaveReply::Result::kLeft:
                     application_.on_evicted(room, socket);
                     exchange->respond(outcome(true, "Successfully left the room"));
                     return;
                   case store::LeaveReply::Result::kNotMember:
                     ++counters_.guesses;
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
  const auto ms = time_of(found[1].value);
  if (!ms || !is_about_now(*ms)) {
    exchange->respond(track_error(
        400, ms ? "timestamp must be of yesterday, today or tomorrow"
                : "timestamp must be milliseconds since the epoch or an ISO 8601 date"));
    return;
  }
  using Result = store::Referrers::Result;
  referrers_.count(
      ref, day_text(*ms), who(exchange), [this, exchange](const store::Referrers::Answer& answer) {
        if (answer.result == Result::kLimited) {
          answer_limited(exchange, answer.refusal);
          return;
        }
        const bool counted = answer.result != Result::kUnavailable;
        if (!counted) ++counters_.redis_unavailable;
        if (answer.result == Result::kCountedAsOther) ++counters_.referrers_as_other;
        exchange->respond(counted ? done() : track_error(500, "Failed to track referrer"));
      });
}

void HttpApi::give_ice_servers(const ExchangePointer& exchange) {
  std::optional<Claims> claims;  // of whichever room: a TURN server knows of none
  if (!authorized(exchange, claims)) return;
  ice_servers_.ask(who(exchange), [this, exchange](const IceServers::Answer& answer) {
    switch (answer.result) {
      case IceServers::Result::kGiven:
        // No cache may give to one client what was made for another, nor keep it beyond its time.
        exchange->respond({.body = answer.json, .headers = "Cache-Control: no-store\r\n"});
        return;
      case IceServers::Result::kLimited:
        answer_limited(exchange, answer.refusal);
        return;
      case IceServers::Result::kUnavailable:
        answer_unavailable(exchange);
        return;
    }
  });
}

void HttpApi::log_debug(const ExchangePointer& exchange) {
  std::array<json::Member, 2> found = {{{"message", {}}, {"timestamp", {}}}};
  json::scan_object(object_of(exchange->request()), found);
  log_.info("a client reports", {{"text", "logs----timestamp:" + display(found[1].value) +
                                              " message:" + display(found[0].value)}});
  exchange->respond(done());
}

void HttpApi::brief_health(const ExchangePointer& exchange) {
  exchange->respond(health_.brief());
}

void HttpApi::detailed_health(const ExchangePointer& exchange) {
  health_.detailed([exchange](net::Response response) { exchange->respond(std::move(response)); });
}

}  // namespace signalbox::signaling
