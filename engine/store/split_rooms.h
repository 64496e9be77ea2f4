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
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/options.h"
#include "engine/store/commands.h"
#include "engine/store/envelope.h"
#include "engine/store/registry.h"
#include "engine/store/rooms.h"

namespace signalbox::store {

class SplitRooms final : public Rooms {
 public:
  // Keeps references to all of them.
  SplitRooms(Commands& redis, const Options& options, Registry& registry);

  void create(const CreateRequest& request, std::function<void(CreateReply)> done) override;
  void check(std::string_view room, std::string_view who,
             std::function<void(CheckReply)> done) override;
  void join(const JoinRequest& request, std::function<void(JoinReply)> done) override;
  void leave(std::string_view room, std::string_view socket, std::string_view who,
             std::function<void(LeaveReply)> done) override;
  void bind(const std::vector<Binding>& bindings, std::function<void(BindReply)> done) override;
  void members(std::string_view room, std::function<void(std::vector<std::string>)> done) override;
  void set_aside(const Departed& departed, std::function<void(int64_t count)> done) override;
  void clean(const Departed& departed, std::string_view room, std::string_view socket,
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
  void on_entered(const std::shared_ptr<Join>& join, const Reply& reply);
  // `number`: of the registration in which it was enlisted; `kind`: what the others are told of a
  // socket that was not in the room.
  void enter_room(const char* how, const JoinRequest& request, uint64_t number, EnvelopeKind kind,
                  Step done);
  void bind_one(const Binding& binding, std::function<void(JoinReply)> done);
  void leave_in_turn(const std::string& room, const std::string& socket,
                     std::function<void(LeaveReply)> done);
  // `departed`: the node that the socket belonged to, or null.
  void exit_room(const std::string& room, const std::string& socket, const Departed* departed,
                 std::function<void(LeaveReply)> done);
  // What belongs to a membership beside it. `then` is called when it is done, or could not be.
  void bind_socket(const std::string& room, const std::string& socket);
  void unbind_socket(const std::string& room, const std::string& socket,
                     std::function<void()> then);
  // Takes a socket off this node's index: last, because from there the rest can be told.
  void unlist(const std::string& socket, std::function<void()> then);

  Commands& redis_;
  const Options& options_;
  Registry& registry_;
  Limits limits_{redis_, options_};
  std::unordered_map<std::string, std::deque<Turn>> turns_;  // the first of each is under way
};

}  // namespace signalbox::store
