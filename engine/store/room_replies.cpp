#include "engine/store/room_replies.h"

#include <algorithm>
#include <new>

#include "engine/core/id.h"
#include "engine/store/secret.h"

namespace signalbox::store {
namespace {

// A binding must outlive the room it points to, whatever the room's time to live is set to.
constexpr int64_t kBindingTtlS = 90000;
constexpr int64_t kBindingMarginS = 3600;

constexpr size_t kAttemptRandomLength = 12;

}  // namespace

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

static JoinReply read_join(const Reply& reply) {
  JoinReply join;
  const std::string_view what = outcome(reply);
  if (what == "joined" && reply.elements.size() == 4) {
    join.result = JoinReply::Result::kJoined;
    join.rejoined = reply.elements[1].integer == 1;
    join.members = texts(reply.elements[2]);
    join.stamp = static_cast<uint64_t>(reply.elements[3].integer);
  } else if (refused(reply, join.refusal)) {
    join.result = JoinReply::Result::kLimited;
  } else if (what == "elsewhere") {
    join.result = JoinReply::Result::kBoundElsewhere;
  } else if (what == "absent") {
    join.result = JoinReply::Result::kRoomAbsent;
  } else if (what == "secret") {
    join.result = JoinReply::Result::kSecretWrong;
  } else if (what == "full") {
    join.result = JoinReply::Result::kRoomFull;
  } else if (what == "lost") {
    join.error = "this node is not registered with Redis";
  } else {
    // What Redis says of itself is for the log, which it is in already.
    const bool unavailable = reply.type == Reply::Type::kUnavailable;
    join.error = unavailable ? reply.text : "Redis refused the operation";
  }
  return join;
}

static LeaveReply read_leave(const Reply& reply) {
  LeaveReply leave;
  const std::string_view what = outcome(reply);
  if (what == "left" && reply.elements.size() == 2) {
    leave.result = LeaveReply::Result::kLeft;
    leave.members = texts(reply.elements[1]);
  } else if (refused(reply, leave.refusal)) {
    leave.result = LeaveReply::Result::kLimited;
  } else if (what == "stranger") {
    leave.result = LeaveReply::Result::kNotMember;
  } else if (what == "absent") {
    leave.result = LeaveReply::Result::kRoomAbsent;
  } else if (what == "lost") {
    leave.result = LeaveReply::Result::kLost;
  }
  return leave;
}

// Without memory for the answer nobody knows what has been done, as when there is none.
template <typename Result>
static Result or_unavailable(Result (*read)(const Reply&), const Reply& reply) {
  try {
    return read(reply);
  } catch (const std::bad_alloc&) {
    return {};
  }
}

JoinReply to_join_reply(const Reply& reply) {
  return or_unavailable(read_join, reply);
}

LeaveReply to_leave_reply(const Reply& reply) {
  return or_unavailable(read_leave, reply);
}

std::string news(EnvelopeKind kind, std::string_view sender, std::string_view room,
                 std::string_view socket) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.sender = sender;
  envelope.room = room;
  envelope.socket = socket;
  return encode_unstamped(envelope);
}

CreateReply to_create_reply(const Reply& reply) {
  CreateReply create;
  if (refused(reply, create.refusal)) {
    create.result = CreateResult::kLimited;
  } else if (reply.type == Reply::Type::kInteger) {
    create.result = reply.integer == 1 ? CreateResult::kCreated : CreateResult::kExists;
  }
  return create;
}

CheckReply to_check_reply(const Reply& reply) {
  CheckReply check;
  if (refused(reply, check.refusal)) {
    check.result = CheckResult::kLimited;
  } else if (reply.type == Reply::Type::kInteger) {
    check.result = reply.integer == 1 ? CheckResult::kPresent : CheckResult::kAbsent;
  }
  return check;
}

std::vector<std::string> create_arguments(const CreateRequest& request, const Options& options) {
  return {std::to_string(options.rooms_ttl), salted(secret_digest(request.room, request.secret)),
          request.capacity == 0 ? "" : std::to_string(request.capacity)};
}

std::string binding_ttl(const Options& options) {
  return std::to_string(std::max(kBindingTtlS, options.rooms_ttl + kBindingMarginS));
}

std::string random_attempt() {
  return random_id(kAttemptRandomLength);
}

}  // namespace signalbox::store
