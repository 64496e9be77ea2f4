#include "engine/host/tickets.h"

#include <utility>

namespace signalbox::host {

Tickets::Tickets(Loop& loop, Counters& counters, uint64_t delay_ms)
    : counters_(counters), deadlines_(loop, delay_ms, [](void* expired) {
        auto* question = static_cast<Question*>(expired);
        question->tickets.expire(question->number);
      }) {}

Tickets::Question& Tickets::add() {
  const uint64_t number = ++last_;
  Question& question = questions_.try_emplace(number, *this, number).first->second;
  deadlines_.start(question.deadline);
  return question;
}

uint64_t Tickets::ask(Decide decide) {
  Question& question = add();
  question.decide = std::move(decide);
  return question.number;
}

uint64_t Tickets::ask(std::shared_ptr<net::HttpExchange> exchange) {
  Question& question = add();
  question.exchange = std::move(exchange);
  return question.number;
}

void Tickets::decide(uint64_t ticket, const Decision& decision) {
  const auto found = questions_.find(ticket);
  if (found == questions_.end() || !found->second.decide) return;
  const Decide decide = std::move(found->second.decide);
  questions_.erase(found);
  decide(decision);
}

void Tickets::respond(uint64_t ticket, net::Response response) {
  const auto found = questions_.find(ticket);
  if (found == questions_.end() || !found->second.exchange) return;
  const auto exchange = std::move(found->second.exchange);
  questions_.erase(found);
  exchange->respond(std::move(response));
}

void Tickets::expire(uint64_t number) {
  ++counters_.decisions_timed_out;
  decide(number, {.message = "The server did not decide in time"});
  respond(number, {.status = 504, .body = R"({"error":"The server did not answer in time"})"});
}

}  // namespace signalbox::host
