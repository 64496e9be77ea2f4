// The Redis of the session fuzzer: it keeps the commands until the input answers them. And what
// other nodes say. The store makes them in place of its own connections: their functions are
// defined in session_redis.cpp, and the linker takes those.
//
// Thread: the fuzzer's only one.
// Owner: the signaling::Service.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/loop.h"
#include "engine/store/commands.h"

namespace fuzz {

class FakeRedis : public signalbox::store::Commands {
 public:
  explicit FakeRedis(signalbox::Loop& loop);
  ~FakeRedis() override;

  // The one that was made last.
  static FakeRedis& get();

  // Answers the oldest command, if there is one.
  void answer(const signalbox::store::Reply& reply);
  // Answers all that there are: Redis did not in time.
  void let_expire();
  void set_connected(bool connected);
  // To the subscription of this node.
  void deliver(std::string_view message);

  void connect() override { set_connected(true); }
  void close() override;
  bool connected() const override { return connected_; }
  void set_on_state(std::function<void(bool)> on_state) override {
    on_state_ = std::move(on_state);
  }
  const std::string& host() const override { return host_; }
  int port() const override { return 6379; }
  void choose_node(std::string& /*host*/, int& /*port*/) override {}
  void command(std::vector<std::string> arguments, Done done) override;
  void script(const signalbox::store::Script& script, std::vector<std::string> keys,
              std::vector<std::string> arguments, Done done) override;
  Health health() const override { return {connected_, waiting_.size(), 0, 0}; }

 private:
  signalbox::Loop& loop_;
  std::string host_ = "redis";
  bool connected_ = false;
  std::function<void(bool)> on_state_;
  std::deque<Done> waiting_;
};

}  // namespace fuzz
