#include "engine/store/sentinel.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace signalbox::store {
namespace {

constexpr uint64_t kLookUpMs = 1000;
constexpr uint64_t kConnectMs = 500;
constexpr uint64_t kAnswerMs = 500;

std::vector<RedisUrl> sentinels_of(const Options& options) {
  RedisUrl master;
  (void)parse_redis_url(options.redis_url, master);
  std::vector<RedisUrl> sentinels;
  for (const std::string& text : options.redis_sentinels) {
    RedisUrl url;
    (void)parse_redis_address(text, kSentinelPort, url);
    url.password = options.redis_sentinel_password;
    url.tls = master.tls;
    sentinels.push_back(std::move(url));
  }
  return sentinels;
}

}  // namespace

Sentinel::Sentinel(Loop& loop, const Options& options, const RedisTls* tls)
    : loop_(loop),
      tls_(tls),
      master_name_(options.redis_master_name),
      sentinels_(sentinels_of(options)),
      resolver_(loop),
      deadline_(loop, [this] { pass_over("no answer in time"); }) {}

void Sentinel::find_master(Found found) {
  forget();
  found_ = std::move(found);
  asked_ = 0;
  ask();
}

void Sentinel::forget() {
  deadline_.stop();
  resolver_.forget();
  connection_.reset();
  found_ = nullptr;
}

void Sentinel::ask() {
  const std::string& host = sentinels_[asked_].host;
  if (is_numeric_address(host)) {
    addresses_ = {host};
    return try_next_address("");
  }
  deadline_.start(kLookUpMs);
  resolver_.resolve(host, [this](std::vector<std::string> found, const std::string& error) {
    addresses_ = std::move(found);
    try_next_address(error);
  });
}

// `reason`: why the address before, if any, did not do.
void Sentinel::try_next_address(std::string reason) {
  deadline_.stop();
  while (!addresses_.empty()) {
    const std::string address = std::move(addresses_.front());
    addresses_.erase(addresses_.begin());
    RedisConnection::Listener& listener = *this;  // a base that make_unique may not see
    connection_ = std::make_unique<RedisConnection>(
        loop_, sentinels_[asked_], tls_, RedisConnection::Role::kAny, kConnectMs, listener);
    const Status status = connection_->open(address);
    if (status.ok()) return;
    connection_.reset();
    reason = status.text();
  }
  pass_over(reason);
}

void Sentinel::pass_over(const std::string& reason) {
  deadline_.stop();
  resolver_.forget();
  connection_.reset();
  const RedisUrl& sentinel = sentinels_[asked_];
  Answer none;
  none.error = "sentinel " + sentinel.host + ":" + std::to_string(sentinel.port) + ": " + reason;
  if (++asked_ < sentinels_.size()) return ask();
  answer(none);
}

// Last of what a call of ours does: the callback may destroy us.
void Sentinel::answer(const Answer& answer) {
  const Found found = std::move(found_);
  forget();
  found(answer);
}

void Sentinel::on_ready() {
  deadline_.start(kAnswerMs);
  // If it is refused the connection is ending, which on_lost() tells.
  (void)connection_->send({"SENTINEL", "get-master-addr-by-name", master_name_});
}

void Sentinel::on_reply(const Reply& reply) {
  if (reply.type == Reply::Type::kError) return pass_over(reply.text);
  if (reply.elements.size() != 2) return pass_over("knows no master '" + master_name_ + "'");
  Answer master;
  master.host = reply.elements[0].text;
  const std::string& port = reply.elements[1].text;
  std::from_chars(port.data(), port.data() + port.size(), master.port);
  connection_.reset();  // which has a reference into what is moved
  const auto asked = sentinels_.begin() + static_cast<ptrdiff_t>(asked_);
  std::rotate(sentinels_.begin(), asked, asked + 1);
  answer(master);
}

void Sentinel::on_lost(const std::string& reason) {
  connection_.reset();
  try_next_address(reason);
}

}  // namespace signalbox::store
