#include "tests/bench/play.h"

#include <string>

namespace bench {

Play::Play(Scenario& scenario)
    : scenario_(scenario),
      over_(std::make_shared<bool>(false)),
      patience_(scenario.world().reactor,
                [this] { fail("no " + std::string(expected_) + " in time"); }) {}

void Play::finish() {
  if (*over_) return;
  *over_ = true;
  patience_.stop();
  scenario_.finish(*this);
}

void Play::fail(std::string_view error) {
  if (*over_) return;
  scenario_.error(error);
  finish();
}

void Play::expect(const char* what, uint64_t patience) {
  expected_ = what;
  patience_.start(patience);
}

void Play::post(const Client& client, std::string_view path, std::string_view body,
                Api::Answered answered) {
  scenario_.api().post(
      path, client.address(), body,
      [over = over_, answered = std::move(answered)](int status, std::string_view text) {
        if (!*over) answered(status, text);
      });
}

void Play::closed(Client&, std::string_view reason) {
  fail(reason);
}

void Play::on_connected(Client& client) {
  if (!*over_) connected(client);
}

void Play::on_event(Client& client, const Event& event) {
  if (!*over_) heard(client, event);
}

void Play::on_closed(Client& client, std::string_view reason) {
  if (!*over_) closed(client, reason);
}

void Play::on_upgraded(Client& client) {
  if (!*over_) upgraded(client);
}

}  // namespace bench
