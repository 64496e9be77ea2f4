// Redis as an engine has it, with calls that wait for their answer.
//
// Assertions must not fail inside a callback: CMocka jumps out of the loop. The client therefore
// only records there, and asserts when the loop has returned.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/store/commands.h"

namespace signalbox::test {

// Serves the loop until `done()` holds. Fails the test when that takes longer than 20 seconds.
void run_until(Loop& loop, const std::function<bool()>& done);

// Serves the loop for that long, where the passing of time is what a test is about.
void run_for(Loop& loop, uint64_t ms);

// Milliseconds since some moment.
uint64_t clock_ms();

class Client {
 public:
  // Connects. The loop must outlive the client.
  Client(Loop& loop, Options options);
  Client(Loop& loop, const std::string& url);

  // Sends a command and waits for the reply.
  store::Reply call(std::vector<std::string> arguments);
  // The same for what must be an integer or a text.
  int64_t integer(std::vector<std::string> arguments);
  std::string text(std::vector<std::string> arguments);

  // Sends without waiting. `answered` must happen once, and not inside the call (both are checked).
  void send(std::vector<std::string> arguments,
            std::function<void(const store::Reply&)> answered = nullptr);
  void wait_until_connected();

  Loop& loop;
  Options options;
  std::vector<std::string> lines;  // what was logged
  Log log;
  Counters counters;
  std::unique_ptr<store::Commands> redis;

  size_t sent = 0;
  std::vector<store::Reply> replies;  // to send(), in the order of their arrival
};

// Calls `operation(done)` and waits until done was called with a result, which must not happen
// inside the operation.
template <typename Result>
Result await(Loop& loop, const std::function<void(std::function<void(Result)>)>& operation) {
  Result result{};
  bool inside = true;
  bool early = false;
  int answers = 0;
  operation([&](Result answer) {
    early = early || inside;
    ++answers;
    result = std::move(answer);
  });
  inside = false;
  run_until(loop, [&] { return answers > 0; });
  if (early || answers != 1) throw std::logic_error("answered inside the call, or twice");
  return result;
}

}  // namespace signalbox::test
