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
    // What its client has sent by now is to be decrypted, since it will be looked at.
    std::function<void(const TlsRelay& relay)> catch_up;
  };

  struct Patience {
    // One that does not send a header in this time ends: a new one from its coming, another from
    // the first byte. Not one whose header is there when the loop gets to that.
    uint64_t header_ms;
    // So does one that was held and has not begun one.
    uint64_t idle_ms;
  };

  // Throws std::runtime_error when the system refuses a descriptor.
  Reception(Loop& loop, Patience patience, const RequestHead::Limits& limits, Counters& counters,
            Callbacks callbacks);
  ~Reception();
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  // A new connection; `introduces` when it begins with a PROXY header. False, and it ends, when the
  // system refuses.
  bool add(std::shared_ptr<Arrival> arrival, bool introduces);

  // One that `owner` has, between two requests; `relay` is null without TLS. False when the system
  // refuses.
  bool hold(int fd, void* owner, const TlsRelay* relay);
  // It is not to be waited for any more. Before `fd` is closed.
  void forget(int fd);

  // Ends those that are new.
  void clear();

 private:
  struct Guest {
    Guest(int descriptor, std::shared_ptr<Arrival> newcomer, void* who, const TlsRelay* decrypts)
        : fd(descriptor),
          arrival(std::move(newcomer)),
          owner(who),
          relay(decrypts),
          deadline(this) {}
    const int fd;
    std::shared_ptr<Arrival> arrival;  // of a new one
    void* const owner;                 // of one that is held
    const TlsRelay* const relay;
    bool introduces = false;
    bool refused = false;
    bool idle = false;     // held, and nothing has come yet
    bool watched = false;  // in the epoll set
    RequestHead head;
    Deadline deadline;
  };
  enum class Progress { kWaits, kEnds, kMayRead };

  bool watch(Guest& guest);
  void ready();
  // Ends one that makes room for another, unless its request is here.
  void displace(Guest& guest);
  void late(Guest& guest);
  // look_at(), when it is to go otherwise: at what the loop has had no time for, too.
  bool look_again(Guest& guest);
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
  DeadlineQueue idle_;
  DeadlineQueue leaving_;
  std::unordered_map<int, std::unique_ptr<Guest>> guests_;  // by descriptor
};

}  // namespace signalbox::net
