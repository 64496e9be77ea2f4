// The questions that wait for the host: may this client connect, may this room be created or
// entered, what is the answer to this HTTP request. Each has a ticket, a number that is used once,
// and a time by which it is answered.
//
// Thread: the loop's.
// Owner: the Host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "engine/core/counters.h"
#include "engine/core/deadline_queue.h"
#include "engine/net/http_exchange.h"

namespace signalbox::host {

struct Decision {
  bool accepted = false;
  std::string message = {};  // why not, for the client
  std::string data = {};     // JSON text; of a refused connection
};
using Decide = std::function<void(const Decision& decision)>;

class Tickets {
 public:
  // `delay_ms`: after that a question is decided by itself: refused, or answered 504.
  Tickets(Loop& loop, Counters& counters, uint64_t delay_ms);

  uint64_t ask(Decide decide);
  uint64_t ask(std::shared_ptr<net::HttpExchange> exchange);

  // Nothing happens when the ticket was answered before or asks for something else.
  void decide(uint64_t ticket, const Decision& decision);
  void respond(uint64_t ticket, net::Response response);

 private:
  struct Question {
    Question(Tickets& tickets_of, uint64_t number_of)
        : tickets(tickets_of), number(number_of), deadline(this) {}
    Tickets& tickets;
    uint64_t number;
    Deadline deadline;
    Decide decide;  // one of the two
    std::shared_ptr<net::HttpExchange> exchange;
  };
  Question& add();
  void expire(uint64_t number);

  Counters& counters_;
  uint64_t last_ = 0;
  DeadlineQueue deadlines_;
  std::unordered_map<uint64_t, Question> questions_;
};

}  // namespace signalbox::host
