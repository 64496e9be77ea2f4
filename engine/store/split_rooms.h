// Rooms in a Redis Cluster, where the keys of a room, of a socket and of a node may be on different
// masters: each operation is a row of steps, one script each. What is atomic, and what heals when
// something ends between two steps, is described in engine/store/README.md.
//
// Thread: the loop's.
// Owner: the node. See store/rooms.h.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/options.h"
#include "engine/store/commands.h"
#include "engine/store/registry.h"
#include "engine/store/rooms.h"

namespace signalbox::store {

class SplitRooms final : public Rooms {
 public:
  // Keeps references to all of them.
  SplitRooms(Commands& redis, const Options& options, Registry& registry);

  void create(std::string_view room, std::function<void(CreateResult)> done) override;
  void check(std::string_view room, std::function<void(CheckResult)> done) override;
  void join(const JoinRequest& request, std::function<void(JoinReply)> done) override;
  void leave(std::string_view room, std::string_view socket,
             std::function<void(LeaveReply)> done) override;
  void bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done) override;
  void members(std::string_view room, std::function<void(std::vector<std::string>)> done) override;
  void set_aside(const std::string& node, std::function<void(int64_t count)> done) override;
  void clean(std::string_view room, std::string_view socket,
             std::function<void(LeaveReply)> done) override;

 private:
  using Step = std::function<void(const Reply&)>;
  using Turn = std::function<void(std::function<void()> over)>;
  struct Join;

  // Operations of one socket take turns: masters answer in no order.
  void take_turn(const std::string& socket, Turn turn);
  void next_turn(const std::string& socket);

  void count_attempt(const std::shared_ptr<Join>& join);
  void enlist(const std::shared_ptr<Join>& join);
  void enter(const std::shared_ptr<Join>& join);
  void enter_room(const char* how, const std::string& room, const std::string& socket, Step done);
  void exit_room(const std::string& room, const std::string& socket, const std::string& departed,
                 std::function<void(LeaveReply)> done);
  // What belongs to a membership beside it; the index last, from which the rest can be told.
  void bind_socket(const std::string& room, const std::string& socket);
  void unbind_socket(const std::string& room, const std::string& socket, const std::string& index);

  Commands& redis_;
  const Options& options_;
  Registry& registry_;
  std::unordered_map<std::string, std::deque<Turn>> turns_;  // the first of each is under way
  std::unordered_map<std::string, std::string> departed_;    // nodes being cleaned up after: token
};

}  // namespace signalbox::store
