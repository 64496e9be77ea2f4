// Where a connection waits until its next request may be read: the header has come whole, is well
// formed and within the limits. It is only looked at, so that a new connection can still be given
// to the server of the session that it names, and libwebsockets reads nothing that was not checked.
// At the beginning of a connection a PROXY header may be expected; that is taken out.
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

#include "engine/core/counters.h"
#include "engine/core/deadline_queue.h"
#include "engine/core/loop.h"
#include "engine/net/presence.h"
#include "engine/net/request_head.h"

namespace signalbox::net {

class Reception {
 public:
  struct Callbacks {
    // A new connection's PROXY header is there. False ends it.
    std::function<bool(Arrival& arrival, const Address& client)> introduced;
    // A new connection's first request may be read.
    std::function<void(const std::shared_ptr<Arrival>& arrival, std::string_view request_line)>
        arrived;
    // The next request of a connection that was held may be read; so much was cleared beyond what
    // had been before.
    std::function<void(void* owner, const Clearance& more)> may_read;
    // A connection that was held is to be closed.
    std::function<void(void* owner)> over;
  };

  // One that does not send a header within `patience_ms` ends: a new one from its coming, another
  // from the first byte. Throws std::runtime_error when the system refuses a descriptor.
  Reception(Loop& loop, uint64_t patience_ms, const RequestHead::Limits& limits, Counters& counters,
            Callbacks callbacks);
  ~Reception();
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  // A new connection; `introduces` when it begins with a PROXY header. False, and it ends, when the
  // system refuses.
  bool add(std::shared_ptr<Arrival> arrival, bool introduces);

  // One that `owner` has, between two requests. False when the system refuses.
  bool hold(int fd, void* owner);
  // It is not to be waited for any more. Before `fd` is closed.
  void forget(int fd);

  // Ends those that are new.
  void clear();

 private:
  struct Guest {
    Guest(int descriptor, std::shared_ptr<Arrival> newcomer, void* who)
        : fd(descriptor), arrival(std::move(newcomer)), owner(who), deadline(this) {}
    const int fd;
    std::shared_ptr<Arrival> arrival;  // of a new one
    void* const owner;                 // of one that is held
    bool introduces = false;
    bool refused = false;
    bool watched = false;  // in the epoll set
    RequestHead head;
    Deadline deadline;
  };
  enum class Progress { kWaits, kEnds, kMayRead };

  bool watch(Guest& guest);
  void ready();
  // Whether it waits on; else it has gone.
  bool look_at(Guest& guest, bool at_end);
  Progress progress(Guest& guest, bool at_end, std::string_view& seen);
  // What of a peeked PROXY header: kMayRead when it has been taken out.
  Progress introduce(Guest& guest, std::string_view seen);
  // Answers why a header is refused, and has its client leave.
  void refuse(Guest& guest);
  Progress drop_rest(Guest& guest);
  Clearance clear_requests(const Guest& guest, std::string_view seen) const;
  void end(Guest& guest);
  std::unique_ptr<Guest> take(Guest& guest);

  const RequestHead::Limits limits_;
  Counters& counters_;
  const Callbacks callbacks_;
  std::string seen_;  // the beginning of what waits in a socket
  int epoll_;
  std::unique_ptr<Poll> poll_;
  DeadlineQueue deadlines_;
  DeadlineQueue leaving_;
  std::unordered_map<int, std::unique_ptr<Guest>> guests_;  // by descriptor
};

}  // namespace signalbox::net
