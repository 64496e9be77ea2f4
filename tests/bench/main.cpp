// The load generator; README.md tells how to use it.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/api.h"
#include "tests/bench/plays.h"
#include "tests/bench/scenario.h"
#include "tests/bench/world.h"

namespace bench {
namespace {

constexpr uint64_t kTick = kMillisecond;
// At the end, longer than any play waits for what does not come.
constexpr uint64_t kMostEnding = 130 * kSecond;

struct Arguments {
  uint16_t port = 0;
  uint16_t peer_port = 0;
  bool tls = false;
  uint64_t seconds = 10;
  double report = 0;
  uint64_t seed = 0;
  std::vector<std::string_view> scenarios;
};

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("'" + std::string(text) + "' is not a number");
  }
  return value;
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  arguments.seed = clock_now() / kMicrosecond;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--")) {
      arguments.scenarios.push_back(name);
      continue;
    }
    if (++i == argc) throw std::invalid_argument(std::string(name) + " needs a number");
    if (name == "--port") {
      arguments.port = number<uint16_t>(argv[i]);
    } else if (name == "--peer-port") {
      arguments.peer_port = number<uint16_t>(argv[i]);
    } else if (name == "--tls") {
      arguments.tls = number<uint16_t>(argv[i]) != 0;
    } else if (name == "--seconds") {
      arguments.seconds = number<uint64_t>(argv[i]);
    } else if (name == "--report") {
      arguments.report = number<double>(argv[i]);
    } else if (name == "--seed") {
      arguments.seed = number<uint64_t>(argv[i]);
    } else {
      throw std::invalid_argument("unknown: " + std::string(name));
    }
  }
  if (arguments.port == 0 || arguments.scenarios.empty()) {
    throw std::invalid_argument("a port and a scenario are needed");
  }
  if (arguments.peer_port == 0) arguments.peer_port = arguments.port;
  return arguments;
}

void print_usage() {
  std::fputs(
      "usage: load --port N [--peer-port N] [--tls 1] [--seconds N] [--report SECONDS] [--seed N] "
      "SCENARIO[:KEY=N,...]...\n"
      "Each scenario has rate, or count and ramp, and limit; see tests/bench/README.md.\n",
      stderr);
  for (const Kind& kind : kinds()) std::fprintf(stderr, "  %-8s %s\n", kind.name, kind.doc);
}

class Run {
 public:
  explicit Run(const Arguments& arguments)
      : arguments_(arguments),
        world_(arguments.port, arguments.peer_port, arguments.tls, arguments.seed),
        api_(world_),
        reports_(static_cast<uint64_t>(arguments.report * static_cast<double>(kSecond))) {
    for (const std::string_view text : arguments.scenarios) add(text);
  }

  // Whether nothing went wrong.
  bool run() {
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    begun_ = reported_ = clock_now();
    bool stopping = false;
    while (true) {
      world_.reactor.turn(kTick);
      const uint64_t now = world_.reactor.now();
      for (const auto& scenario : scenarios_) scenario->tick();
      read_commands();
      if (reports_ != 0 && now - reported_ >= reports_) report(false);
      if (!stopping && (asked_to_end_ || now - begun_ >= arguments_.seconds * kSecond)) {
        stopping = true;
        ended_ = now;
        for (const auto& scenario : scenarios_) scenario->stop();
      }
      if (!stopping) continue;
      bool over = true;
      for (const auto& scenario : scenarios_) over = over && scenario->over();
      if (over || now - ended_ > kMostEnding) break;
    }
    world_.reactor.turn(0);
    bool good = true;
    for (const auto& scenario : scenarios_) {
      if (!scenario->over()) scenario->error("plays did not end");
      good = good && scenario->statistics.errors.empty();
    }
    report(true);
    return good;
  }

 private:
  void add(std::string_view text) {
    const std::string_view name = text.substr(0, text.find(':'));
    for (const Kind& kind : kinds()) {
      if (name != kind.name) continue;
      Parameters parameters(text.substr(std::min(text.size(), name.size() + 1)));
      scenarios_.push_back(
          std::make_unique<Scenario>(world_, api_, kind.name, parameters, kind.maker(parameters)));
      parameters.check();
      return;
    }
    throw std::invalid_argument("no scenario '" + std::string(name) + "'");
  }

  // "scale 1.5" and "end", each on a line of standard input.
  void read_commands() {
    char buffer[256];
    const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
    if (size <= 0) return;
    commands_.append(buffer, static_cast<size_t>(size));
    for (size_t end = 0; (end = commands_.find('\n')) != std::string::npos;) {
      const std::string line = commands_.substr(0, end);
      commands_.erase(0, end + 1);
      if (line == "end") asked_to_end_ = true;
      if (!line.starts_with("scale ")) continue;
      const auto factor = number<double>(std::string_view(line).substr(6));
      for (const auto& scenario : scenarios_) scenario->scale(factor);
    }
  }

  void report(bool final) {
    const uint64_t now = world_.reactor.now();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    std::string out = "{\"seconds\":" + std::to_string(static_cast<double>(now - begun_) / 1e9);
    out += ",\"cpu_seconds\":" + std::to_string(cpu);
    out += ",\"final\":" + std::string(final ? "true" : "false") + ",\"scenarios\":{";
    for (const auto& scenario : scenarios_) {
      if (out.back() != '{') out += ',';
      scenario->report(out);
    }
    out += "}}\n";
    std::fputs(out.c_str(), stdout);
    std::fflush(stdout);
    reported_ = now;
  }

  const Arguments& arguments_;
  World world_;
  Api api_;
  std::vector<std::unique_ptr<Scenario>> scenarios_;
  const uint64_t reports_;  // ns between two; 0: none but the last
  std::string commands_;
  uint64_t begun_ = 0;
  uint64_t ended_ = 0;
  uint64_t reported_ = 0;
  bool asked_to_end_ = false;
};

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    const bench::Arguments arguments = bench::parse(argc, argv);
    bench::raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL does not ask for send(2) without it
    std::fprintf(stderr, "seed %lu\n", static_cast<unsigned long>(arguments.seed));
    return bench::Run(arguments).run() ? 0 : 1;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    bench::print_usage();
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 1;
  }
}
