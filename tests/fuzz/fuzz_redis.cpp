// What Redis answers, in any shape: the map of a cluster's slots, and the outcomes of the scripts
// about rooms.
#include "engine/store/cluster_slots.h"
#include "engine/store/room_replies.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/redis_text.h"

using namespace signalbox::store;

namespace {

void check_map(const Reply& reply) {
  auto map = SlotMap::read(reply, {"10.0.0.9", 7000});
  if (!map) return;
  int unowned = 0;
  for (int slot = 0; slot < kSlots; ++slot) {
    const ClusterAddress* owner = map->owner(slot);
    if (owner == nullptr) {
      ++unowned;
      continue;
    }
    CHECK(owner->port > 0 && owner->port <= 65535 && !owner->host.empty());
  }
  CHECK(map->complete() == (unowned == 0));
  CHECK(map->masters().empty() == (unowned == kSlots));
  CHECK(map->masters().size() <= map->nodes().size());
  map->set_owner(kSlots - 1, {"10.0.0.7", 7001});
  CHECK(map->owner(kSlots - 1)->host == "10.0.0.7");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  const Reply reply = fuzz::take_reply(text);
  check_map(reply);
  const JoinReply join = to_join_reply(reply);
  if (join.result == JoinReply::Result::kJoined) CHECK(outcome(reply) == "joined");
  CHECK((join.result == JoinReply::Result::kUnavailable) || join.error.empty());
  const LeaveReply leave = to_leave_reply(reply);
  CHECK(leave.members.empty() || leave.result == LeaveReply::Result::kLeft);
  if (reply.type != Reply::Type::kInteger) {
    Refusal refusal;
    const bool limited = refused(reply, refusal);
    CHECK(to_create_reply(reply).result ==
          (limited ? CreateResult::kLimited : CreateResult::kUnavailable));
    CHECK(to_check_reply(reply).result ==
          (limited ? CheckResult::kLimited : CheckResult::kUnavailable));
  }
  CHECK(texts(reply).size() == reply.elements.size());
  return 0;
}
