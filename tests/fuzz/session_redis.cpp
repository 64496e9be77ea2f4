#include "tests/fuzz/session_redis.h"

#include <memory>
#include <stdexcept>

#include "engine/store/subscription.h"

using namespace signalbox;
using store::Reply;

namespace {

constexpr size_t kMostWaiting = 200;

fuzz::FakeRedis* last_made = nullptr;
store::Subscription::OnMessage listener;

const Reply& unavailable() {
  static const Reply reply = {Reply::Type::kUnavailable, 0, "Redis is away", {}};
  return reply;
}

}  // namespace

namespace fuzz {

FakeRedis::FakeRedis(Loop& loop) : loop_(loop) {
  last_made = this;
}

FakeRedis::~FakeRedis() {
  let_expire();
}

FakeRedis& FakeRedis::get() {
  return *last_made;
}

void FakeRedis::answer(const Reply& reply) {
  if (waiting_.empty()) return;
  const Done done = std::move(waiting_.front());
  waiting_.pop_front();
  try {
    done(reply);
  } catch (const std::out_of_range&) {
    // Of a reply of a shape that no script of ours has an element is missing.
  }
}

void FakeRedis::let_expire() {
  for (size_t count = waiting_.size(); count > 0; --count) answer(unavailable());
}

void FakeRedis::set_connected(bool connected) {
  loop_.post([this, connected] {
    if (connected == connected_) return;
    connected_ = connected;
    if (!connected) let_expire();
    if (on_state_) on_state_(connected);
  });
}

void FakeRedis::deliver(std::string_view message) {
  if (listener) listener("", message);
}

void FakeRedis::close() {
  connected_ = false;
  on_state_ = nullptr;
  while (!waiting_.empty()) answer(unavailable());
}

void FakeRedis::command(std::vector<std::string> /*arguments*/, Done done) {
  if (connected_ && waiting_.size() < kMostWaiting) {
    waiting_.push_back(std::move(done));
  } else {
    loop_.post([done = std::move(done)] { done(unavailable()); });
  }
}

void FakeRedis::script(const store::Script& /*script*/, std::vector<std::string> /*keys*/,
                       std::vector<std::string> arguments, Done done) {
  command(std::move(arguments), std::move(done));
}

}  // namespace fuzz

namespace signalbox::store {

Script::Script(std::string_view text) : text_(text) {}

std::unique_ptr<Commands> make_redis(Loop& loop, Log& /*log*/, const Options& /*options*/,
                                     Counters& /*counters*/) {
  return std::make_unique<fuzz::FakeRedis>(loop);
}

struct Subscription::State {
  OnState on_state;
  std::string host;
};

Subscription::Subscription(Loop& /*loop*/, Log& /*log*/, const Options& /*options*/,
                           OnMessage on_message, OnState on_state)
    : state_(std::make_shared<State>(State{std::move(on_state), "redis"})) {
  listener = std::move(on_message);
}
Subscription::~Subscription() {
  listener = nullptr;
}
void Subscription::set_choose(std::function<void(std::string&, int&)> /*choose*/) {}
void Subscription::connect() {}
void Subscription::close() {
  listener = nullptr;
}
void Subscription::subscribe(const std::string& /*channel*/) {}
void Subscription::unsubscribe(const std::string& /*channel*/) {}
bool Subscription::ready() const {
  return listener != nullptr;
}
const std::string& Subscription::host() const {
  return state_->host;
}
int Subscription::port() const {
  return 6379;
}
void Subscription::restart(const std::string& /*reason*/) {
  state_->on_state(false);
  state_->on_state(true);
}

}  // namespace signalbox::store
