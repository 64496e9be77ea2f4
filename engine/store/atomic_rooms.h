// Rooms on one Redis: each operation one Lua script, one round trip, all of it or nothing.
//
// Thread: the loop's.
// Owner: the node. See store/rooms.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/options.h"
#include "engine/store/commands.h"
#include "engine/store/registry.h"
#include "engine/store/rooms.h"

namespace signalbox::store {

class AtomicRooms final : public Rooms {
 public:
  // Keeps references to all of them.
  AtomicRooms(Commands& redis, const Options& options, Registry& registry);

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
  struct Leaver;
  void send_join(const JoinRequest& request, bool last, std::function<void(JoinReply)> done);
  void leave_registered(const std::string& room, const std::string& socket, const std::string& who,
                        bool last, const std::function<void(LeaveReply)>& done);
  void send_leave(std::string_view room, std::string_view socket, const Leaver& leaver,
                  std::function<void(LeaveReply)> done);

  Commands& redis_;
  const Options& options_;
  Registry& registry_;
  Limits limits_{redis_, options_};
};

}  // namespace signalbox::store
