// Where connections wait until the first line of their first request is there, so that they can be
// given to the server whose session it names. Nothing is taken out of them.
//
// Thread: the loop's.
// Owner: the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/core/deadline_queue.h"
#include "engine/core/loop.h"
#include "engine/net/port_group.h"

namespace signalbox::net {

class Reception {
 public:
  // `arrived` gets each connection with its request line: an empty one when there is none within
  // the first kilobytes. One that sends no line within `patience_ms`, or ends before, is closed.
  // Throws std::runtime_error when the system refuses a descriptor.
  Reception(
      Loop& loop, uint64_t patience_ms,
      std::function<void(const std::shared_ptr<Arrival>& arrival, std::string_view line)> arrived);
  ~Reception();
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  // False, and the connection ends, when the system refuses.
  bool add(std::shared_ptr<Arrival> arrival);

  // Ends those that wait.
  void clear() { guests_.clear(); }

 private:
  struct Guest {
    explicit Guest(std::shared_ptr<Arrival> who) : arrival(std::move(who)), deadline(this) {}
    std::shared_ptr<Arrival> arrival;
    Deadline deadline;
  };
  void ready();
  void look_at(Guest& guest, bool at_end);
  // Takes it out; its connection ends if the result is dropped.
  std::shared_ptr<Arrival> take(Guest& guest);

  std::function<void(const std::shared_ptr<Arrival>&, std::string_view)> arrived_;
  std::string seen_;  // the beginning of a request
  int epoll_;
  std::unique_ptr<Poll> poll_;
  DeadlineQueue deadlines_;
  std::unordered_map<int, std::unique_ptr<Guest>> guests_;  // by descriptor
};

}  // namespace signalbox::net
