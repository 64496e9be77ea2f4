// Counts by day where visitors come from.
//
// Thread: the loop's.
// Owner: the engine. Destroying its Redis answers what is pending with false first.
#pragma once

#include <functional>
#include <string_view>

namespace signalbox::store {

class Commands;

class Referrers {
 public:
  // Keeps the reference, which must outlive it.
  explicit Referrers(Commands& redis) : redis_(redis) {}

  // Counts `ref` once under `day` (YYYY-MM-DD). Clients choose the names, so a day holds 10,000 of
  // them with up to 256 bytes each; all others count under "(other)". `done` is called exactly
  // once, never inside this call; false: Redis is away, slow or refuses.
  void count(std::string_view ref, std::string_view day, std::function<void(bool ok)> done);

 private:
  Commands& redis_;
};

}  // namespace signalbox::store
