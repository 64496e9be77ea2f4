#include "tests/bench/scenario.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "tests/bench/play.h"

namespace bench {
namespace {

constexpr double kRamp = 500;
constexpr double kLimit = 5000;
constexpr uint64_t kShown = 3;  // errors of each kind that are printed

}  // namespace

Parameters::Parameters(std::string_view text) {
  while (!text.empty()) {
    const std::string_view each = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), each.size() + 1));
    const size_t equals = std::min(each.find('='), each.size());
    const std::string_view number = each.substr(std::min(equals + 1, each.size()));
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size() || value < 0) {
      throw std::invalid_argument("'" + std::string(each) + "' is not key=number");
    }
    values_.emplace(each.substr(0, equals), value);
  }
}

double Parameters::take(const std::string& key, double otherwise) {
  const auto found = values_.extract(key);
  return found ? found.mapped() : otherwise;
}

void Parameters::check() const {
  if (!values_.empty()) throw std::invalid_argument("unknown: " + values_.begin()->first);
}

Scenario::Scenario(World& world, Api& api, std::string name, Parameters& parameters, Maker maker)
    : world_(world),
      api_(api),
      name_(std::move(name)),
      rate_(parameters.take("rate", 0)),
      count_(static_cast<size_t>(parameters.take("count", 0))),
      ramp_(parameters.take("ramp", kRamp)),
      limit_(static_cast<size_t>(parameters.take("limit", kLimit))),
      maker_(std::move(maker)),
      last_tick_(world.reactor.now()) {}

Scenario::~Scenario() = default;

void Scenario::tick() {
  const uint64_t now = world_.reactor.now();
  const double seconds = static_cast<double>(now - last_tick_) / static_cast<double>(kSecond);
  last_tick_ = now;
  if (stopping_) return;
  due_ += seconds * (count_ > 0 ? ramp_ : rate_ * scale_);
  const size_t most = count_ > 0 ? count_ : limit_;
  for (; due_ >= 1; due_ -= 1) {
    if (plays_.size() < most) {
      begin();
    } else if (count_ == 0) {
      ++statistics.skipped;
    }
  }
}

void Scenario::begin() {
  ++statistics.started;
  std::unique_ptr<Play> play = maker_(*this);
  Play& begun = *play;
  plays_.emplace(&begun, std::move(play));
  begun.begin();
}

void Scenario::stop() {
  stopping_ = true;
  std::vector<Play*> plays;
  for (const auto& [key, play] : plays_) plays.push_back(play.get());
  for (Play* play : plays) play->end();
}

void Scenario::finish(Play& play) {
  ++statistics.finished;
  auto found = plays_.extract(&play);
  // It is one of its own clients, or timers, that is calling.
  world_.reactor.defer([kept = std::shared_ptr<Play>(std::move(found.mapped()))] {});
}

void Scenario::error(std::string_view kind) {
  uint64_t& times = count(statistics.errors, kind);
  if (++times <= kShown) {
    std::fprintf(stderr, "%s: %.*s\n", name_.c_str(), static_cast<int>(kind.size()), kind.data());
  }
}

uint64_t& Scenario::count(Counts& counts, std::string_view kind) {
  const auto found = counts.find(kind);
  return found != counts.end() ? found->second : counts[std::string(kind)];
}

void Scenario::report(std::string& out) {
  const auto figure = [&out](std::string_view name, uint64_t value) {
    out.append("\"").append(name).append("\":").append(std::to_string(value)).append(",");
  };
  append_json(out, name_);
  out += ":{";
  figure("started", statistics.started);
  figure("finished", statistics.finished);
  figure("skipped", statistics.skipped);
  figure("under_way", plays_.size());
  figure("sent", statistics.sent);
  figure("received", statistics.received);
  out += "\"latency\":";
  append_json(out, statistics.recent);
  out += ",\"latency_of_all\":";
  append_json(out, statistics.all);
  out += ",\"notes\":";
  append_json(out, statistics.notes);
  out += ",\"errors\":";
  append_json(out, statistics.errors);
  out += '}';
  statistics.recent.clear();
}

}  // namespace bench
