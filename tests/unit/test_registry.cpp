#include "engine/store/registry.h"

#include <deque>

#include "tests/unit/unit_test.h"

using namespace signalbox;
using store::Reply;

namespace {

// Keeps what it is asked until it is answered.
class SilentRedis : public store::Commands {
 public:
  void connect() override {}
  void close() override {}
  bool connected() const override { return true; }
  void set_on_state(std::function<void(bool)> /*on_state*/) override {}
  const std::string& host() const override { return host_; }
  int port() const override { return 0; }
  void choose_node(std::string& /*host*/, int& /*port*/) override {}
  void command(std::vector<std::string> /*arguments*/, Done done) override {
    asked.push_back(std::move(done));
  }
  void script(const store::Script& /*script*/, std::vector<std::string> /*keys*/,
              std::vector<std::string> /*arguments*/, Done done) override {
    asked.push_back(std::move(done));
  }
  Health health() const override { return {}; }

  void answer(const Reply& reply) {
    const Done done = std::move(asked.front());
    asked.pop_front();
    done(reply);
  }

  std::deque<Done> asked;

 private:
  std::string host_;
};

struct Node : store::Registry::Listener {
  void on_registered() override {}
  void on_renamed() override {}
  void on_departed(const std::string& node) override { departed.push_back(node); }
  void on_heartbeat() override {}
  void on_node_count(size_t count) override { nodes = count; }

  Loop loop;
  Log log{LogLevel::kError, {}};
  Options options;
  SilentRedis redis;
  std::vector<std::string> departed;
  size_t nodes = 0;
};

Reply text(const std::string& what) {
  Reply reply;
  reply.type = Reply::Type::kText;
  reply.text = what;
  return reply;
}

Reply array(const std::vector<std::string>& texts) {
  Reply reply;
  reply.type = Reply::Type::kArray;
  for (const std::string& each : texts) reply.elements.push_back(text(each));
  return reply;
}

// No script of ours answers so; but what is no answer must change nothing.
void an_empty_answer_to_a_heartbeat_is_none(void**) {
  Node node;
  node.options.node_ttl = 4;  // a heartbeat each millisecond
  store::Registry registry(node.loop, node.log, node.options, node.redis, node);
  registry.on_connection(true);
  node.redis.answer(text("registered"));
  assert_true(registry.registered());
  Reply renewed = array({"renewed", "", "else"});
  renewed.elements[1].type = Reply::Type::kInteger;
  renewed.elements[1].integer = 3;
  for (const auto& answer : {array({}), renewed, array({"lost"})}) {
    assert_true(registry.registered());
    while (node.redis.asked.empty()) node.loop.turn(-1);
    node.redis.answer(answer);
  }
  assert_false(registry.registered());
  assert_int_equal(node.nodes, 3);
  assert_int_equal(node.departed.size(), 1);
  assert_text_equal(node.departed[0], "else");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(an_empty_answer_to_a_heartbeat_is_none)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
