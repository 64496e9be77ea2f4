// How many packets a client may send: so many at once, and in the long run so many within each
// window (the generic cell rate algorithm, ITU-T I.371, Annex A).
//
// Thread: a value.
#pragma once

#include <algorithm>
#include <cstdint>

namespace signalbox::engineio {

class PacketAllowance {
 public:
  // `count` packets within `window_ms`; 0: any number.
  struct Rate {
    int64_t count = 0;
    int64_t window_ms = 0;
  };

  // Whether a packet may come now.
  bool open(uint64_t now_ms, const Rate& rate) const {
    return rate.count == 0 || spent_until_us_ + kMicroseconds * rate.window_ms / rate.count <=
                                  kMicroseconds * (static_cast<int64_t>(now_ms) + rate.window_ms);
  }

  // One has come.
  void spend(uint64_t now_ms, const Rate& rate) {
    if (rate.count == 0) return;
    spent_until_us_ = std::max(spent_until_us_, kMicroseconds * static_cast<int64_t>(now_ms)) +
                      kMicroseconds * rate.window_ms / rate.count;
  }

 private:
  static constexpr int64_t kMicroseconds = 1000;  // of a millisecond
  // When all packets that came would have come, one after the other at the rate.
  int64_t spent_until_us_ = 0;
};

}  // namespace signalbox::engineio
