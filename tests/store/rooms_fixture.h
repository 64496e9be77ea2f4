// One Redis for a program of room tests, emptied before each test, and an engine's view of it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/atomic_rooms.h"
#include "engine/store/registry.h"
#include "tests/lib/redis_server.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace signalbox::test {

// A node that only registers.
struct QuietNode : store::Registry::Listener {
  void on_registered() override {}
  void on_renamed() override {}
  void on_departed(const std::string&) override {}
  void on_heartbeat() override {}
  void on_node_count(size_t /*nodes*/) override {}
};

struct RoomsFixture {
  explicit RoomsFixture(Loop& loop, Options options) : client(loop, std::move(options)) {
    client.redis->set_on_state([this](bool connected) { registry.on_connection(connected); });
  }

  // What still waits is answered while those who asked are there.
  ~RoomsFixture() { client.redis->close(); }

  // Redis has nothing any more but this node.
  void empty_redis() {
    client.call({"FLUSHALL"});
    registry.on_connection(true);
    run_until(client.loop, [this] { return registry.registered(); });
  }

  store::CreateResult create(const std::string& room) { return create_as({.room = room}).result; }
  store::CreateReply create_as(const store::CreateRequest& request) {
    return await<store::CreateReply>(client.loop,
                                     [&](std::function<void(store::CreateReply)> done) {
                                       rooms.create(request, std::move(done));
                                     });
  }
  store::CheckResult check(const std::string& room) { return check_by(room, "").result; }
  store::CheckReply check_by(const std::string& room, const std::string& who) {
    return await<store::CheckReply>(client.loop, [&](std::function<void(store::CheckReply)> done) {
      rooms.check(room, who, std::move(done));
    });
  }
  // Of a client that is not limited, unless `who` says who it is.
  store::JoinReply join(const std::string& room, const std::string& socket,
                        const std::string& who = "", const std::string& secret = "") {
    return await<store::JoinReply>(client.loop, [&](std::function<void(store::JoinReply)> done) {
      rooms.join({room, socket, who, false, secret}, std::move(done));
    });
  }
  store::LeaveReply leave(const std::string& room, const std::string& socket,
                          const std::string& who = "") {
    return await<store::LeaveReply>(client.loop, [&](std::function<void(store::LeaveReply)> done) {
      rooms.leave(room, socket, who, std::move(done));
    });
  }

  int64_t ttl(const std::string& key) { return client.integer({"TTL", key}); }
  // How many keys there are beside those about nodes.
  size_t keys() {
    const std::vector<store::Reply> all = client.call({"KEYS", "*"}).elements;
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const store::Reply& key) {
      return !key.text.starts_with("signalbox:");
    }));
  }
  bool exists(const std::string& key) { return client.integer({"EXISTS", key}) == 1; }

  Client client;
  QuietNode node;
  store::Registry registry{client.loop, client.log, client.options, *client.redis, node};
  store::AtomicRooms rooms{*client.redis, client.options, registry};
};

// A server, a loop and one engine for a test.
struct RoomsTest {
  explicit RoomsTest(const RedisServer& server, Options options = {})
      : rooms(loop, with_url(std::move(options), server.url())) {
    rooms.empty_redis();
  }
  static Options with_url(Options options, const std::string& url) {
    options.redis_url = url;
    return options;
  }
  Loop loop;
  RoomsFixture rooms;
};

inline void assert_members(std::vector<std::string> members, std::vector<std::string> expected) {
  std::sort(members.begin(), members.end());
  std::sort(expected.begin(), expected.end());
  assert_true(members == expected);
}

}  // namespace signalbox::test
