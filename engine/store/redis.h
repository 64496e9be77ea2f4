// Commands to Redis over one connection on the engine's loop: out in a pipeline, replies in order,
// a deadline for each. The connection is made again whenever it is lost.
//
// Thread: the loop's.
// Owner: the engine. Destroying it answers every pending command with kUnavailable, inside the
//   destructor; that may happen inside a command's own callback.
//
// hiredis is known to redis_connection.cpp and redis_events.cpp only. It writes without
// MSG_NOSIGNAL: the loop's thread must block SIGPIPE, or the process ignore it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/commands.h"

namespace signalbox::store {

class Redis final : public Commands {
 public:
  // The options must be valid (validate_redis_options()).
  Redis(Loop& loop, Log& log, const Options& options, Counters& counters);
  ~Redis() override;

  void connect() override;
  void close() override;
  bool connected() const override;
  // When the connection was lost, it is told after what waited has been answered; when it was made,
  // after what waited has been sent.
  void set_on_state(std::function<void(bool connected)> on_state) override;
  // Of a master that sentinels know: as they told last, before that its name and 0.
  const std::string& host() const override;
  int port() const override;
  void choose_node(std::string& /*host*/, int& /*port*/) override {}

  // When a command has no answer in time, the connection is given up with all that waits: replies
  // come in order. So it is behind an error that says that this Redis does not serve writes.
  void command(std::vector<std::string> arguments, Done done) override;
  void script(const Script& script, std::vector<std::string> keys,
              std::vector<std::string> arguments, Done done) override;

  Health health() const override;

  // For an owner that knows better what error replies mean: they are neither logged any more nor a
  // reason to give the connection up.
  void leave_errors_to_owner();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared only to survive its own callbacks
};

}  // namespace signalbox::store
