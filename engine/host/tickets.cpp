#include "engine/host/tickets.h"

#include <utility>

namespace signalbox::host {

using Exchange = std::shared_ptr<net::HttpExchange>;

Tickets::Tickets(Loop& loop, Counters& counters, uint64_t delay_ms,
                 std::function<void(uint64_t ticket)> abandoned)
    : counters_(counters),
      abandoned_(std::move(abandoned)),
      deadlines_(loop, delay_ms, [](void* expired) {
        auto* question = static_cast<Question*>(expired);
        question->tickets.expire(question->number);
      }) {}

uint64_t Tickets::add(Answer answer) {
  const uint64_t number = ++last_;
  Question& question =
      questions_.try_emplace(number, *this, number, std::move(answer)).first->second;
  deadlines_.start(question.deadline);
  return number;
}

uint64_t Tickets::ask(Decide decide) {
  return add(std::move(decide));
}

uint64_t Tickets::ask(const Exchange& exchange) {
  const uint64_t ticket = add(exchange);
  exchange->set_on_abort([this, ticket] { cancel(ticket); });
  return ticket;
}

template <typename Kind>
Kind Tickets::take(uint64_t ticket) {
  const auto found = questions_.find(ticket);
  if (found == questions_.end()) return nullptr;
  auto* answer = std::get_if<Kind>(&found->second.answer);
  if (answer == nullptr) return nullptr;
  Kind taken = std::move(*answer);
  questions_.erase(found);
  return taken;
}

void Tickets::decide(uint64_t ticket, const Decision& decision) {
  if (const Decide decide = take<Decide>(ticket)) decide(decision);
}

void Tickets::respond(uint64_t ticket, net::Response response) {
  if (const Exchange exchange = take<Exchange>(ticket)) exchange->respond(std::move(response));
}

void Tickets::cancel(uint64_t ticket) {
  const auto found = questions_.find(ticket);
  if (found == questions_.end()) return;
  const Answer dropped = std::move(found->second.answer);
  questions_.erase(found);
  if (abandoned_) abandoned_(ticket);
}

void Tickets::give_up() {
  while (!questions_.empty()) {
    const uint64_t ticket = questions_.begin()->first;
    decide(ticket, {.message = "The server is shutting down"});
    respond(ticket,
            {.status = 503, .body = R"({"error":"The server is shutting down"})", .close = true});
    if (abandoned_) abandoned_(ticket);
  }
}

void Tickets::expire(uint64_t ticket) {
  ++counters_.decisions_timed_out;
  decide(ticket, {.message = "The server did not decide in time"});
  respond(ticket, {.status = 504, .body = R"({"error":"The server did not answer in time"})"});
  if (abandoned_) abandoned_(ticket);
}

}  // namespace signalbox::host
