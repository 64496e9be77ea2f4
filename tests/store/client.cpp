#include "tests/store/client.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "tests/store/cmocka.h"

namespace signalbox::test {

void run_until(Loop& loop, const std::function<bool()>& done) {
  const uint64_t deadline = clock_ms() + 20000;
  bool held = false;
  // The loop has no hook for "after each turn"; looking once a millisecond does as well.
  Timer look(loop, [&] {
    held = done();
    if (held || clock_ms() > deadline) return loop.stop();
    look.start(1);
  });
  look.start(0);
  loop.run();
  assert_true(held);
}

void run_for(Loop& loop, uint64_t ms) {
  Timer end(loop, [&] { loop.stop(); });
  end.start(ms);
  loop.run();
}

uint64_t clock_ms() {
  using std::chrono::steady_clock;
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now().time_since_epoch());
  return static_cast<uint64_t>(now.count());
}

namespace {

Options with_url(const std::string& url) {
  Options options;
  options.redis_url = url;
  return options;
}

}  // namespace

Client::Client(Loop& loop_in, Options options_in)
    : loop(loop_in),
      options(std::move(options_in)),
      log(LogLevel::kDebug, [this](LogLevel, const std::string& line) { lines.push_back(line); }),
      redis(store::make_redis(loop, log, options, counters)) {
  redis->connect();
}

Client::Client(Loop& loop_in, const std::string& url) : Client(loop_in, with_url(url)) {}

store::Reply Client::call(std::vector<std::string> arguments) {
  return await<store::Reply>(loop, [&](std::function<void(store::Reply)> done) {
    redis->command(std::move(arguments), std::move(done));
  });
}

int64_t Client::integer(std::vector<std::string> arguments) {
  const store::Reply reply = call(std::move(arguments));
  if (reply.type != store::Reply::Type::kInteger) print_error("%s\n", reply.text.c_str());
  assert_true(reply.type == store::Reply::Type::kInteger);
  return reply.integer;
}

std::string Client::text(std::vector<std::string> arguments) {
  const store::Reply reply = call(std::move(arguments));
  if (reply.type != store::Reply::Type::kText) print_error("%s\n", reply.text.c_str());
  assert_true(reply.type == store::Reply::Type::kText);
  return reply.text;
}

void Client::send(std::vector<std::string> arguments,
                  std::function<void(const store::Reply&)> answered) {
  ++sent;
  const auto inside = std::make_shared<bool>(true);
  redis->command(std::move(arguments),
                 [this, inside, answered = std::move(answered)](const store::Reply& reply) {
                   if (*inside) throw std::logic_error("answered inside the call");
                   replies.push_back(reply);
                   if (answered) answered(reply);
                 });
  *inside = false;
}

void Client::wait_until_connected() {
  run_until(loop, [this] { return redis->connected(); });
}

}  // namespace signalbox::test
