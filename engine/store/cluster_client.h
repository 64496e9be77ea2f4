// Commands to a Redis Cluster: each to the master that has its key, wherever the cluster has moved
// it meanwhile. How, is described in engine/store/README.md.
//
// Thread: the loop's.
// Owner: the engine. Destroying it answers every pending command with kUnavailable, inside the
//   destructor; that may happen inside a command's own callback.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/commands.h"

namespace signalbox::store {

class RedisCluster final : public Commands {
 public:
  // The options must be valid (validate_redis_options()). Keeps references.
  RedisCluster(Loop& loop, Log& log, const Options& options, Counters& counters);
  ~RedisCluster() override;

  void connect() override;
  void close() override;
  // Whether each slot has a master that we know and none of these masters was lost, or could not be
  // reached, when we last tried. Masters that nobody needed yet are given the benefit of the doubt.
  bool connected() const override;
  void set_on_state(std::function<void(bool connected)> on_state) override;
  // Of the seed.
  const std::string& host() const override;
  int port() const override;
  void choose_node(std::string& host, int& port) override;

  // Redirections, pauses and repetitions are all within the one redis.command_timeout. Commands for
  // one key keep their order while its slot stays where it is; when it moves, or the cluster makes
  // us try again, those already sent may be overtaken by later ones. A command without a key is
  // refused unless connected().
  void command(std::vector<std::string> arguments, Done done) override;
  void script(const Script& script, std::vector<std::string> keys,
              std::vector<std::string> arguments, Done done) override;

  // `reconnects` counts how often connected() came back.
  Health health() const override;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared only to survive its own callbacks
};

}  // namespace signalbox::store
