// Asks the sentinels of a Redis where its master is, one after the other, whoever answered last
// first. A sentinel that does not answer is passed over in half a second.
//
// Thread: the loop's.
// Owner: RedisLink. May be destroyed inside its callback.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/resolver.h"
#include "engine/store/redis_connection.h"
#include "engine/store/redis_tls.h"
#include "engine/store/redis_url.h"

namespace signalbox::store {

constexpr int kSentinelPort = 26379;

class Sentinel final : private RedisConnection::Listener {
 public:
  struct Answer {
    std::string host;  // a name, if the sentinels go by names, or an address
    int port = 0;
    std::string error;  // why nobody knows; host and port are then nothing
  };
  using Found = std::function<void(const Answer& answer)>;

  // The options must be valid. `tls` must outlive this; null without TLS, or when
  // it cannot be had.
  Sentinel(Loop& loop, const Options& options, const RedisTls* tls);

  // Calls back once, perhaps inside this call. A question that is under way is forgotten.
  void find_master(Found found);
  // Makes sure that the callback is not called any more.
  void forget();

 private:
  void ask();
  void try_next_address(std::string reason);
  void pass_over(const std::string& reason);
  void answer(const Answer& answer);

  void on_ready() override;
  void on_reply(const Reply& reply) override;
  void on_lost(const std::string& reason) override;

  Loop& loop_;
  const RedisTls* const tls_;
  const std::string master_name_;
  std::vector<RedisUrl> sentinels_;

  Found found_;
  size_t asked_ = 0;                    // of the sentinels, the one that is being asked
  std::vector<std::string> addresses_;  // of it, those not yet tried
  Resolver resolver_;
  std::unique_ptr<RedisConnection> connection_;
  Timer deadline_;  // of the name's look-up, then of the answer
};

}  // namespace signalbox::store
