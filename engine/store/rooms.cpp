#include "engine/store/rooms.h"

#include <algorithm>
#include <utility>

#include "engine/core/id.h"
#include "engine/core/options.h"
#include "engine/store/keys.h"
#include "engine/store/redis.h"
#include "engine/store/room_scripts.h"

namespace signalbox::store {
namespace {

// A binding must outlive the room it points to, whatever the room's time to live is set to.
constexpr int64_t kBindingTtlS = 90000;
constexpr int64_t kBindingMarginS = 3600;

// Tells two attempts of the same millisecond apart.
constexpr size_t kAttemptRandomLength = 12;

// The first element names the outcome; of anything else (an error, no answer) it is empty.
std::string_view outcome(const Reply& reply) {
  if (reply.type != Reply::Type::kArray || reply.elements.empty()) return {};
  return reply.elements[0].text;
}

std::vector<std::string> texts(const Reply& array) {
  std::vector<std::string> result;
  result.reserve(array.elements.size());
  for (const Reply& element : array.elements) result.push_back(element.text);
  return result;
}

JoinReply to_join_reply(const Reply& reply) {
  JoinReply join;
  const std::string_view what = outcome(reply);
  if (what == "joined" && reply.elements.size() == 3) {
    join.result = JoinReply::Result::kJoined;
    join.rejoined = reply.elements[1].integer == 1;
    join.members = texts(reply.elements[2]);
  } else if (what == "limited" && reply.elements.size() == 3) {
    join.result = JoinReply::Result::kLimited;
    join.retry_after_s = reply.elements[1].integer;
    join.attempts_left = reply.elements[2].integer;
  } else if (what == "elsewhere") {
    join.result = JoinReply::Result::kBoundElsewhere;
  } else if (what == "absent") {
    join.result = JoinReply::Result::kRoomAbsent;
  } else if (what == "full") {
    join.result = JoinReply::Result::kRoomFull;
  } else {
    // What Redis says of itself is for the log, which it is in already.
    const bool unavailable = reply.type == Reply::Type::kUnavailable;
    join.error = unavailable ? reply.text : "Redis refused the operation";
  }
  return join;
}

LeaveReply to_leave_reply(const Reply& reply) {
  LeaveReply leave;
  const std::string_view what = outcome(reply);
  if (what == "left" && reply.elements.size() == 2) {
    leave.result = LeaveReply::Result::kLeft;
    leave.members = texts(reply.elements[1]);
  } else if (what == "stranger") {
    leave.result = LeaveReply::Result::kNotMember;
  } else if (what == "absent") {
    leave.result = LeaveReply::Result::kRoomAbsent;
  }
  return leave;
}

}  // namespace

Rooms::Rooms(Redis& redis, const Options& options) : redis_(redis), options_(options) {}

void Rooms::create(std::string_view room, std::function<void(CreateResult)> done) {
  redis_.script(create_room_script(), {room_key(room)}, {std::to_string(options_.rooms_ttl)},
                [done = std::move(done)](const Reply& reply) {
                  if (reply.type != Reply::Type::kInteger) return done(CreateResult::kUnavailable);
                  done(reply.integer == 1 ? CreateResult::kCreated : CreateResult::kExists);
                });
}

void Rooms::check(std::string_view room, std::function<void(CheckResult)> done) {
  redis_.command({"HEXISTS", room_key(room), "created_at"},
                 [done = std::move(done)](const Reply& reply) {
                   if (reply.type != Reply::Type::kInteger) return done(CheckResult::kUnavailable);
                   done(reply.integer == 1 ? CheckResult::kPresent : CheckResult::kAbsent);
                 });
}

void Rooms::join(const JoinRequest& request, std::function<void(JoinReply)> done) {
  std::vector<std::string> keys = {room_key(request.room), room_sockets_key(request.room),
                                   socket_key(request.socket)};
  if (options_.limits_join_enabled && !request.limit_key.empty()) {
    keys.push_back(join_limit_key(request.limit_key));
  }
  const int64_t binding_ttl = std::max(kBindingTtlS, options_.rooms_ttl + kBindingMarginS);
  redis_.script(join_room_script(), std::move(keys),
                {request.room, request.socket, std::to_string(options_.limits_room_size),
                 std::to_string(options_.rooms_ttl), std::to_string(binding_ttl),
                 std::to_string(options_.limits_join_count),
                 std::to_string(options_.limits_join_window), random_id(kAttemptRandomLength)},
                [done = std::move(done)](const Reply& reply) { done(to_join_reply(reply)); });
}

void Rooms::leave(std::string_view room, std::string_view socket,
                  std::function<void(LeaveReply)> done) {
  redis_.script(leave_room_script(), {room_key(room), room_sockets_key(room), socket_key(socket)},
                {std::string(room), std::string(socket), std::to_string(options_.rooms_empty_ttl)},
                [done = std::move(done)](const Reply& reply) { done(to_leave_reply(reply)); });
}

}  // namespace signalbox::store
