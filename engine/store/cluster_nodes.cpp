#include "engine/store/cluster_nodes.h"

#include <utility>

#include "engine/store/redis_url.h"

namespace signalbox::store {

struct ClusterNodes::Node {
  Node(Loop& loop, Log& log, Options options_in, Counters& counters)
      : options(std::move(options_in)), redis(loop, log, options, counters) {}

  const Options options;
  bool refused = false;
  bool wanted = true;
  Redis redis;  // last: what it answers when it is destroyed is noted above
};

ClusterNodes::ClusterNodes(Loop& loop, Log& log, const Options& options, Counters& counters,
                           std::function<void(bool back)> changed)
    : loop_(loop), log_(log), options_(options), counters_(counters), changed_(std::move(changed)) {
  RedisUrl url;
  (void)parse_redis_url(options.redis_url, url);
  seed_ = {url.host, url.port};
}

ClusterNodes::~ClusterNodes() {
  clear();
}

void ClusterNodes::command(const ClusterAddress& address, std::vector<std::string> arguments,
                           Commands::Done done) {
  Node& node = at(address);
  node.redis.command(std::move(arguments), noting(node, std::move(done)));
}

void ClusterNodes::script(const ClusterAddress& address, const Script& script,
                          std::vector<std::string> keys, std::vector<std::string> arguments,
                          Commands::Done done) {
  Node& node = at(address);
  node.redis.script(script, std::move(keys), std::move(arguments), noting(node, std::move(done)));
}

// `done` is called last: it may destroy everything.
Commands::Done ClusterNodes::noting(Node& node, Commands::Done done) {
  return [this, &node, done = std::move(done)](const Reply& reply) {
    const bool refused = reply.type == Reply::Type::kUnavailable && !node.redis.connected();
    if (refused) node.refused = true;
    if (refused || !node.wanted) changed_(false);
    done(reply);
  };
}

bool ClusterNodes::connected(const ClusterAddress& address) const {
  const auto found = nodes_.find(address);
  return found != nodes_.end() && found->second->redis.connected();
}

bool ClusterNodes::refused(const ClusterAddress& address) const {
  const auto found = nodes_.find(address);
  return found != nodes_.end() && found->second->refused;
}

void ClusterNodes::keep_only(const std::set<ClusterAddress>& wanted) {
  for (auto& [address, node] : nodes_) node->wanted = wanted.contains(address);
}

// Here and in clear() off the member first: what is answered meanwhile may ask for us.
void ClusterNodes::drop_idle() {
  std::vector<std::unique_ptr<Node>> idle;
  for (auto entry = nodes_.begin(); entry != nodes_.end();) {
    Node& node = *entry->second;
    if (node.wanted || node.redis.health().pending != 0) {
      ++entry;
    } else {
      idle.push_back(std::move(entry->second));
      entry = nodes_.erase(entry);
    }
  }
}

void ClusterNodes::clear() {
  const auto ending = std::exchange(nodes_, {});
}

ClusterNodes::Node& ClusterNodes::at(const ClusterAddress& address) {
  std::unique_ptr<Node>& node = nodes_[address];
  if (node != nullptr) {
    node->wanted = true;
    return *node;
  }
  Options options = options_;
  options.redis_url = url_of(address);
  options.redis_max_pending = INT64_MAX;  // the bound is on all nodes together: our owner's
  node = std::make_unique<Node>(loop_, log_, std::move(options), counters_);
  node->redis.leave_errors_to_owner();
  node->redis.set_on_state([this, &node = *node](bool connected) {
    const bool back = connected && node.refused;
    node.refused = !connected;
    changed_(back);
  });
  node->redis.connect();
  return *node;
}

std::string ClusterNodes::url_of(const ClusterAddress& address) const {
  const std::string& seed = options_.redis_url;
  if (address == seed_) return seed;
  const bool is_v6 = address.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + address.host + "]" : address.host;
  // With the seed's scheme and login; a unix socket has none.
  std::string before = "redis://";
  if (seed_.port != 0) {
    const size_t authority = seed.find("://") + 3;
    const size_t at = seed.substr(0, seed.find('/', authority)).rfind('@');
    before = seed.substr(0, at == std::string::npos ? authority : at + 1);
  }
  return before + host + ":" + std::to_string(address.port);
}

}  // namespace signalbox::store
