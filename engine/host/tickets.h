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
#include <variant>

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
  // `delay_ms`: after that a question is decided by itself: refused, or answered 504. `abandoned`
  // hears of tickets that have become void without the host's doing.
  Tickets(Loop& loop, Counters& counters, uint64_t delay_ms,
          std::function<void(uint64_t ticket)> abandoned);

  uint64_t ask(Decide decide);
  uint64_t ask(const std::shared_ptr<net::HttpExchange>& exchange);

  // Nothing happens when the ticket is void, or asks for something else.
  void decide(uint64_t ticket, const Decision& decision);
  void respond(uint64_t ticket, net::Response response);

  // Nobody waits for the answer any more. Nothing happens when the ticket is void.
  void cancel(uint64_t ticket);

  size_t waiting() const { return questions_.size(); }
  // Refuses all that wait; HTTP requests are answered 503.
  void give_up();

 private:
  using Answer = std::variant<Decide, std::shared_ptr<net::HttpExchange>>;
  struct Question {
    Question(Tickets& tickets_of, uint64_t number_of, Answer to)
        : tickets(tickets_of), number(number_of), deadline(this), answer(std::move(to)) {}
    Tickets& tickets;
    uint64_t number;
    Deadline deadline;
    Answer answer;
  };
  uint64_t add(Answer answer);
  // Takes the question away if it wants that kind of answer.
  template <typename Kind>
  Kind take(uint64_t ticket);
  void expire(uint64_t ticket);

  Counters& counters_;
  const std::function<void(uint64_t)> abandoned_;
  uint64_t last_ = 0;
  DeadlineQueue deadlines_;
  std::unordered_map<uint64_t, Question> questions_;
};

}  // namespace signalbox::host
