#include "tests/store/cluster_servers.h"

#include "engine/store/cluster_slots.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace signalbox::test {
namespace {

using store::kSlots;
using store::Reply;

// Many tests are about the time that a cluster takes to notice.
constexpr const char* kNodeTimeoutMs = "1000";

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

ClusterServers::ClusterServers(size_t masters, bool replicas,
                               const std::vector<std::string>& arguments)
    : masters_(masters) {
  for (size_t i = 0; i < (replicas ? 2 : 1) * masters; ++i) {
    Node node;
    node.port = free_port();
    node.bus_port = free_port();
    std::vector<std::string> all = {"--bind", "127.0.0.1", "--cluster-enabled", "yes"};
    all.insert(all.end(), {"--port", std::to_string(node.port)});
    all.insert(all.end(), {"--cluster-port", std::to_string(node.bus_port)});
    all.insert(all.end(), {"--cluster-node-timeout", kNodeTimeoutMs});
    all.insert(all.end(), {"--repl-diskless-sync-delay", "0"});
    all.insert(all.end(), arguments.begin(), arguments.end());
    node.server = std::make_unique<RedisServer>(all);
    nodes.push_back(std::move(node));
    // Nobody reads what it prints from now on.
    change(i, {"CONFIG", "SET", "loglevel", "warning"});
    nodes[i].id = admin(i, {"CLUSTER", "MYID"}).text;
    change(i, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
  }
  for (size_t i = 0; i < masters; ++i) {
    const size_t slots = static_cast<size_t>(kSlots);
    change(i, {"CLUSTER", "ADDSLOTSRANGE", std::to_string(i * slots / masters),
               std::to_string((i + 1) * slots / masters - 1)});
  }
  for (size_t i = 1; i < nodes.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      change(i, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes[k].port),
                 std::to_string(nodes[k].bus_port)});
    }
  }
  wait_until_in_order();
  if (!replicas) return;
  for (size_t i = masters; i < nodes.size(); ++i) {
    change(i, {"CLUSTER", "REPLICATE", nodes[i - masters].id});
  }
  replicas_ = masters;
  wait_until_in_order();
}

std::string ClusterServers::address(size_t node) const {
  return "127.0.0.1:" + std::to_string(nodes[node].port);
}

std::string ClusterServers::url(size_t node) const {
  return "redis://" + address(node);
}

Options ClusterServers::options(size_t node) const {
  Options options;
  options.redis_cluster = true;
  options.redis_url = url(node);
  return options;
}

Reply ClusterServers::admin(size_t node, std::vector<std::string> arguments) {
  Loop loop;
  Client client(loop, nodes[node].server->url());
  return client.call(std::move(arguments));
}

void ClusterServers::change(size_t node, std::vector<std::string> arguments) {
  const Reply reply = admin(node, std::move(arguments));
  if (reply.text != "OK") print_error("%s\n", reply.text.c_str());
  assert_string_equal(reply.text.c_str(), "OK");
}

int64_t ClusterServers::stat(size_t node, const std::string& section, const std::string& name) {
  const std::string text = admin(node, {"INFO", section}).text;
  const size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::stoll(text.substr(at + name.size()));
}

int64_t ClusterServers::stats(const std::string& section, const std::string& name) {
  int64_t sum = 0;
  for (size_t i = 0; i < nodes.size(); ++i) sum += stat(i, section, name);
  return sum;
}

void ClusterServers::reset_stats() {
  for (size_t i = 0; i < nodes.size(); ++i) change(i, {"CONFIG", "RESETSTAT"});
}

size_t ClusterServers::owner(int slot) const {
  size_t node = 0;
  const size_t slots = static_cast<size_t>(kSlots);
  while (static_cast<size_t>(slot) >= (node + 1) * slots / masters_) ++node;
  return node;
}

void ClusterServers::move_slot(int slot, size_t to) {
  // The new owner first: while the old one would send to it, it must not send back.
  change(to, {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", nodes[to].id});
  for (size_t i = 0; i < masters_; ++i) {
    if (i != to) change(i, {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", nodes[to].id});
  }
}

void ClusterServers::migrate(int slot, size_t to, const std::vector<std::string>& keys) {
  const size_t from = owner(slot);
  change(to, {"CLUSTER", "SETSLOT", std::to_string(slot), "IMPORTING", nodes[from].id});
  change(from, {"CLUSTER", "SETSLOT", std::to_string(slot), "MIGRATING", nodes[to].id});
  for (const std::string& key : keys) {
    change(from, {"MIGRATE", "127.0.0.1", std::to_string(nodes[to].port), key, "0", "5000"});
  }
}

// Each node knows all others and their parts, and finds the cluster in order.
void ClusterServers::wait_until_in_order() {
  Loop loop;
  const uint64_t deadline = clock_ms() + 20000;
  const auto in_order = [this](size_t node) {
    const std::string known = admin(node, {"CLUSTER", "NODES"}).text;
    return count(known, " connected") == nodes.size() && count(known, "slave ") == replicas_ &&
           count(known, "handshake") == 0 && count(known, "fail") == 0 &&
           count(admin(node, {"CLUSTER", "INFO"}).text, "cluster_state:ok") == 1 &&
           count(admin(node, {"INFO", "replication"}).text, "master_link_status:down") == 0;
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    while (!in_order(i)) {
      assert_true(clock_ms() < deadline);
      run_for(loop, 20);
    }
  }
}

}  // namespace signalbox::test
