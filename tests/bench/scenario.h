// A scenario lets plays begin, at a rate or so that a number of them is always under way, and adds
// up what becomes of them. A play is what one client, or some that belong together, do from their
// first connection to their last.
//
// Thread: the only one.
// Owner: main() owns the scenarios, a scenario its plays.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tests/bench/api.h"
#include "tests/bench/reactor.h"
#include "tests/bench/statistics.h"
#include "tests/bench/world.h"

namespace bench {

class Play;

// What stands behind the colon on the command line: key=number,key=number…
class Parameters {
 public:
  // Throws std::invalid_argument for what it cannot read.
  explicit Parameters(std::string_view text);

  // Each key is asked for once, at the start; those that nobody asks for are unknown.
  double take(const std::string& key, double otherwise);
  // Throws std::invalid_argument if there are keys that were never taken.
  void check() const;

 private:
  std::map<std::string, double> values_;
};

class Scenario {
 public:
  using Maker = std::function<std::unique_ptr<Play>(Scenario& scenario)>;

  // Takes of `parameters`: rate (plays that begin in a second), or count (plays under way) and ramp
  // (of those begin no more in a second); limit (plays under way at most).
  Scenario(World& world, Api& api, std::string name, Parameters& parameters, Maker maker);
  ~Scenario();

  // Begins what is due. To be called each ms or so.
  void tick();
  // Nothing begins any more, and what would never end by itself does now.
  void stop();
  bool over() const { return stopping_ && plays_.empty(); }

  // All rates, times this.
  void scale(double factor) { scale_ = factor; }
  double scale() const { return scale_; }

  void finish(Play& play);
  void error(std::string_view kind);
  void note(std::string_view kind) { ++count(statistics.notes, kind); }

  // Appends the figures as JSON and begins a new interval of recent latencies.
  void report(std::string& out);

  const std::string& name() const { return name_; }
  World& world() { return world_; }
  Api& api() { return api_; }

  Statistics statistics;

 private:
  static uint64_t& count(Counts& counts, std::string_view kind);
  void begin();

  World& world_;
  Api& api_;
  const std::string name_;
  const double rate_;
  const size_t count_;
  const double ramp_;
  const size_t limit_;
  const Maker maker_;
  std::unordered_map<const Play*, std::unique_ptr<Play>> plays_;
  double scale_ = 1;
  double due_ = 0;  // plays that should have begun by now and have not
  uint64_t last_tick_;
  bool stopping_ = false;
};

}  // namespace bench
