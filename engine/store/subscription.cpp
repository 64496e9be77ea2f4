#include "engine/store/subscription.h"

#include <cstdint>
#include <set>
#include <utility>

#include "engine/store/redis_link.h"

namespace signalbox::store {

struct Subscription::State final : RedisLink::Listener,
                                   std::enable_shared_from_this<Subscription::State> {
  State(Loop& loop_in, Log& log, const Options& options, OnMessage message, OnState state)
      : loop(loop_in),
        confirm_timeout_ms(static_cast<uint64_t>(options.redis_command_timeout)),
        on_message(std::move(message)),
        on_state(std::move(state)),
        link(loop, log, options, "subscription", *this),
        confirm_timer(loop, [this] {
          restart("no answer within " + std::to_string(confirm_timeout_ms) + " ms");
        }) {}

  void send_subscribe(const std::string& channel);
  void confirmed();
  void restart(const std::string& reason);
  void forget_connection();
  void tell(bool ready);

  void on_up() override;
  void on_reply(const Reply& reply) override;
  void on_down() override;

  Loop& loop;
  const uint64_t confirm_timeout_ms;
  OnMessage on_message;
  OnState on_state;
  RedisLink link;
  // While up, a channel is in here exactly if the last that was sent about it is SUBSCRIBE. Hence
  // no UNSUBSCRIBE is ever sent twice, which hiredis 0.14 would abort at.
  std::set<std::string, std::less<>> channels;
  size_t unconfirmed = 0;  // SUBSCRIBEs without an answer
  Timer confirm_timer;     // runs while there are any
  bool told_ready = false;
};

// One channel a command: when a command names several, hiredis 0.14 counts wrongly what it must
// still hear of them.
void Subscription::State::send_subscribe(const std::string& channel) {
  (void)link.send({"SUBSCRIBE", channel});  // if not, the connection is ending: on_down() follows
  if (unconfirmed++ == 0) confirm_timer.start(confirm_timeout_ms);
}

void Subscription::State::confirmed() {
  if (unconfirmed > 0) return confirm_timer.start(confirm_timeout_ms);
  confirm_timer.stop();
  if (!told_ready) tell(true);
}

void Subscription::State::restart(const std::string& reason) {
  if (!link.up()) return;  // an attempt is under way, or due
  link.drop(reason);
  forget_connection();
}

void Subscription::State::forget_connection() {
  unconfirmed = 0;
  confirm_timer.stop();
  if (told_ready) tell(false);
}

// Last of what a call of ours does: the callback may destroy us.
void Subscription::State::tell(bool ready) {
  const auto keep = shared_from_this();
  told_ready = ready;
  loop.guard([&] { on_state(ready); });
}

void Subscription::State::on_up() {
  for (const std::string& channel : channels) send_subscribe(channel);
  if (channels.empty()) confirmed();
}

void Subscription::State::on_reply(const Reply& reply) {
  // [kind, channel, payload or number of channels]
  if (reply.type != Reply::Type::kArray || reply.elements.size() != 3) return;
  const std::string& kind = reply.elements[0].text;
  const std::string& channel = reply.elements[1].text;
  if (kind == "message") {
    const auto keep = shared_from_this();
    // Those of a channel that is not wanted any more may be under way.
    if (!channels.contains(channel)) return;
    loop.guard([&] { on_message(channel, reply.elements[2].text); });
  } else if (kind == "subscribe") {
    --unconfirmed;
    confirmed();
  }
}

void Subscription::State::on_down() {
  forget_connection();
}

// The public face

Subscription::Subscription(Loop& loop, Log& log, const Options& options, OnMessage on_message,
                           OnState on_state)
    : state_(std::make_shared<State>(loop, log, options, std::move(on_message),
                                     std::move(on_state))) {}

Subscription::~Subscription() {
  close();
}

void Subscription::set_choose(std::function<void(std::string& host, int& port)> choose) {
  state_->link.set_choose(std::move(choose));
}

void Subscription::connect() {
  state_->link.connect();
}

void Subscription::close() {
  state_->link.close();
  state_->confirm_timer.stop();
}

void Subscription::subscribe(const std::string& channel) {
  if (state_->channels.insert(channel).second && state_->link.up()) state_->send_subscribe(channel);
}

void Subscription::unsubscribe(const std::string& channel) {
  if (state_->channels.erase(channel) == 0 || !state_->link.up()) return;
  (void)state_->link.send({"UNSUBSCRIBE", channel});
}

bool Subscription::ready() const {
  return state_->link.up() && state_->unconfirmed == 0;
}

const std::string& Subscription::host() const {
  return state_->link.host();
}

int Subscription::port() const {
  return state_->link.port();
}

void Subscription::restart(const std::string& reason) {
  state_->restart(reason);
}

}  // namespace signalbox::store
