// Nodes in one process and on one loop, each with connections of its own: all of the floor `store`,
// without sockets. And an ear for what is said to nodes that do not exist.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/counters.h"
#include "engine/store/atomic_rooms.h"
#include "engine/store/bus.h"
#include "engine/store/cleaner.h"
#include "engine/store/keys.h"
#include "engine/store/redis.h"
#include "engine/store/registry.h"
#include "engine/store/subscription.h"
#include "tests/lib/redis_server.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace signalbox::test {

// A message as it was heard; what Envelope points to, kept.
struct Heard {
  explicit Heard(const store::Envelope& envelope)
      : kind(envelope.kind),
        sender(envelope.sender),
        sequence(envelope.sequence),
        room(envelope.room),
        socket(envelope.socket),
        packet(envelope.packet),
        attachments(envelope.attachments.begin(), envelope.attachments.end()),
        stamp(envelope.stamp) {}

  store::EnvelopeKind kind;
  std::string sender;
  uint64_t sequence;
  std::string room;
  std::string socket;
  std::string packet;
  std::vector<std::string> attachments;
  uint64_t stamp;
};

class TestNode : private store::Registry::Listener, private store::Bus::Listener {
 public:
  TestNode(Loop& loop_in, Options options_in, std::shared_ptr<store::Siblings> siblings)
      : loop(loop_in),
        options(std::move(options_in)),
        log(LogLevel::kDebug, [this](LogLevel, const std::string& line) { lines.push_back(line); }),
        redis(loop, log, options, counters),
        registry(loop, log, options, redis, *this),
        rooms(redis, options, registry),
        bus(loop, log, options, counters, redis, std::move(siblings), *this),
        cleaner(log, counters, redis, registry, rooms) {
    redis.set_on_state([this](bool connected) {
      if (!connected) cleaner.give_up();
      registry.on_connection(connected);
      bus.on_connection(connected);
    });
  }
  ~TestNode() { die(); }

  void open() {
    redis.connect();
    bus.open(registry.id());
  }
  // Ends without a word, as a process does that is killed.
  void die() {
    bus.close();
    redis.close();
  }
  void wait_until_registered() {
    run_until(loop, [this] { return registry.registered(); });
  }
  const std::string& id() const { return registry.id(); }
  std::string socket(const std::string& name) const { return id() + name; }

  // Of another one.
  store::Envelope relay(std::string_view packet) const {
    store::Envelope envelope;
    envelope.kind = store::EnvelopeKind::kRelay;
    envelope.room = "room";
    envelope.socket = "socket";
    envelope.packet = packet;
    return envelope;
  }
  store::JoinReply join(const std::string& room, const std::string& socket) {
    return await<store::JoinReply>(loop, [&](std::function<void(store::JoinReply)> done) {
      rooms.join({room, socket, ""}, std::move(done));
    });
  }
  size_t heard_of(store::EnvelopeKind kind) const {
    return static_cast<size_t>(std::count_if(
        heard.begin(), heard.end(), [kind](const Heard& each) { return each.kind == kind; }));
  }

  Loop& loop;
  Options options;
  std::vector<std::string> lines;  // what was logged
  Log log;
  Counters counters;
  store::Redis redis;
  store::Registry registry;
  store::AtomicRooms rooms;
  store::Bus bus;
  store::Cleaner cleaner;

  size_t registered = 0;
  size_t missed = 0;
  std::vector<std::string> names;     // ids after the first
  std::vector<std::string> departed;  // what this node had to clean up after
  size_t most_at_once = 0;            // of them, in one turn of the loop
  std::deque<Heard> heard;
  bool cleans = true;
  std::function<void()> on_duty;  // called before it begins to clean up
  std::function<void()> on_registration;
  std::function<void()> on_heard;

 private:
  void on_registered() override {
    ++registered;
    if (on_registration) on_registration();
  }
  void on_renamed() override {
    names.push_back(registry.id());
    bus.open(registry.id());
  }
  void on_departed(const std::string& node) override {
    departed.push_back(node);
    at_once = std::exchange(turn, loop.turns()) == loop.turns() ? at_once + 1 : 1;
    most_at_once = std::max(most_at_once, at_once);
    if (on_duty) on_duty();
    if (cleans) cleaner.clean(node);
  }
  void on_heartbeat() override { bus.check(); }
  void on_node_count(size_t /*nodes*/) override {}
  void on_envelope(const store::Envelope& envelope) override {
    heard.emplace_back(envelope);
    if (on_heard) on_heard();
  }
  void on_missed() override { ++missed; }

  uint64_t turn = 0;
  size_t at_once = 0;  // departed in that turn
};

// Hears what is said to nodes of these ids.
class NodesEar {
 public:
  NodesEar(Loop& loop, const std::string& url, const std::vector<std::string>& ids)
      : loop_(loop),
        options_(with_url(url)),
        log_(LogLevel::kError, [](LogLevel, const std::string&) {}),
        subscription_(
            loop_, log_, options_,
            [this](std::string_view channel, std::string_view payload) {
              store::Envelope envelope;
              if (store::decode(payload, envelope) != store::DecodeResult::kOk) ++malformed;
              heard.emplace_back(std::string(channel.substr(store::node_channel("").size())),
                                 Heard(envelope));
            },
            [](bool) {}) {
    for (const std::string& id : ids) subscription_.subscribe(store::node_channel(id));
    subscription_.subscribe(store::node_channel("stop"));
    subscription_.connect();
    run_until(loop_, [this] { return subscription_.ready(); });
  }

  // What has been said so far, as "<to> <kind> <room> <socket>", sorted; forgets it.
  std::vector<std::string> take(Client& client) {
    store::Envelope stop;
    stop.sender = "stop";
    client.integer({"PUBLISH", store::node_channel("stop"), store::encode(stop)});
    run_until(loop_, [this] { return !heard.empty() && heard.back().first == "stop"; });
    heard.pop_back();
    std::vector<std::string> all;
    for (const auto& [to, message] : std::exchange(heard, {})) {
      all.push_back(to + ' ' + name(message.kind) + ' ' + message.room + ' ' + message.socket);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  size_t malformed = 0;
  std::vector<std::pair<std::string, Heard>> heard;  // by the node it was said to

 private:
  static Options with_url(const std::string& url) {
    Options options;
    options.redis_url = url;
    return options;
  }
  static std::string name(store::EnvelopeKind kind) {
    switch (kind) {
      case store::EnvelopeKind::kJoined:
        return "joined";
      case store::EnvelopeKind::kRejoined:
        return "rejoined";
      case store::EnvelopeKind::kLeft:
        return "left";
      case store::EnvelopeKind::kEvicted:
        return "evicted";
      default:
        return "other";
    }
  }

  Loop& loop_;
  Options options_;
  Log log_;
  store::Subscription subscription_;
};

// A server, a loop, and nodes as many as a test wants. Leases are short, so that tests are.
struct NodesTest {
  static constexpr int64_t kTtl = 400;

  explicit NodesTest(const RedisServer& server) : client(loop, server.url()), url(server.url()) {
    client.call({"FLUSHALL"});
    options.redis_url = url;
    options.node_ttl = kTtl;
  }

  // Registered, and heard by all.
  TestNode& add() {
    TestNode& node = prepare();
    node.open();
    node.wait_until_registered();
    run_until(loop, [&] { return node.missed > 0; });
    node.missed = 0;
    return node;
  }
  TestNode& prepare() {
    return *nodes.emplace_back(std::make_unique<TestNode>(
        loop, options, siblings ? siblings : std::make_shared<store::Siblings>()));
  }

  bool exists(const std::string& key) { return client.integer({"EXISTS", key}) == 1; }
  std::string lease(const std::string& node) {
    return client.call({"ZSCORE", store::nodes_key(), node}).text;
  }
  // Milliseconds from now, by Redis's clock, that a lease ends.
  void set_lease(const std::string& node, int64_t ms) {
    client.call({"EVAL",
                 "local t = redis.call('TIME') return redis.call('ZADD', KEYS[1], string.format("
                 "'%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1]), ARGV[2])",
                 "1", store::nodes_key(), std::to_string(ms), node});
  }
  // A node that is registered for that long, and that nobody is behind.
  void pretend(const std::string& node, int64_t lease_ms) {
    client.call({"HSET", store::node_key(node), "token", "somebody:1"});
    set_lease(node, lease_ms);
  }
  // A socket of such a node, in a room.
  void pretend_member(const std::string& room, const std::string& socket) {
    client.call({"HSETNX", store::room_key(room), "created_at", "1"});
    client.call({"SADD", store::room_sockets_key(room), socket});
    client.call({"SET", store::socket_key(socket), room});
    client.call(
        {"HSET", store::node_sockets_key(std::string(store::node_of(socket))), socket, room});
  }
  size_t keys() { return client.call({"KEYS", "*"}).elements.size(); }

  Loop loop;
  Client client;
  std::string url;
  // Of nodes added from now on; without siblings each is in a process of its own.
  Options options;
  std::shared_ptr<store::Siblings> siblings;
  std::vector<std::unique_ptr<TestNode>> nodes;
};

}  // namespace signalbox::test
