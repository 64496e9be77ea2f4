#include "tests/fuzz/session_play.h"

#include <utility>

#include "engine/store/envelope.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/redis_text.h"
#include "tests/fuzz/session_chance.h"

using namespace signalbox;

namespace fuzz {
namespace {

constexpr std::string_view kPolling = "EIO=4&transport=polling";
constexpr std::string_view kWebSocket = "EIO=4&transport=websocket";

constexpr uint64_t kDrainMs = 1000;

// After so many times 5 s no deadline is left.
constexpr int kLastTurns = 30;

}  // namespace

SessionPlay::SessionPlay()
    : clients_{{{floors_, "192.0.2.1"},
                {floors_, "192.0.2.2"},
                {floors_, "2001:db8::3"},
                {floors_, "2001:db8::4"}}} {
  turn();
}

void SessionPlay::event(std::string_view line) {
  const std::string text = expanded(line);
  if (!text.empty()) happen(text[0], std::string_view(text).substr(1));
  turn();
}

void SessionPlay::end() {
  for (SessionClient& client : clients_) client.lose_web_sockets();
  if (!redis_.connected()) redis_.set_connected(true);
  for (int i = 0; i < kLastTurns; ++i) {
    pass('5');
    turn();
  }
  for (const SessionClient& client : clients_) CHECK(!client.waits());
  CHECK(floors_.place.group->sessions() == 0);
  CHECK(floors_.counters.sessions_opened == floors_.counters.sessions_closed);
  CHECK(floors_.socketio.find("/")->sockets().empty());
  CHECK(!floors_.service.neighbours().busy());
  floors_.service.leave();
  floors_.service.close();
}

void SessionPlay::turn() {
  floors_.loop.turn(0);
  for (const SessionClient& client : clients_) client.check();
}

void SessionPlay::happen(char what, std::string_view rest) {
  switch (what) {
    case 'r':
      return redis_.answer(take_reply(rest));
    case 'z':
      return redis_.set_connected(!redis_.connected());
    case 'm':
      return redis_.deliver(message(rest));
    case 'M':
      return redis_.deliver(rest);
    case 's':
      return pass(rest.empty() ? '0' : rest[0]);
    case 'l':
      return floors_.echo.admit();
    case 'k':
      return floors_.engineio.close_all(engineio::CloseReason::kForced);
    case 'd':
      return drain();
    default:
      if (!rest.empty()) of_client(what, clients_[rest[0] & 3], rest.substr(1));
  }
}

void SessionPlay::of_client(char what, SessionClient& client, std::string_view rest) {
  switch (what) {
    case 'h':
      return client.forget_session(), client.get(kPolling);
    case 'p':
      return client.get(kPolling);
    case 'e':
      return client.get(rest);
    case 'E':
      return client.upgrade(rest);
    case 'b':
      return client.begin_post(rest), client.finish_post();
    case 'c':
      return client.begin_post(rest);
    case 'f':
      return client.finish_post();
    case 'w':
      return client.forget_session(), client.upgrade(kWebSocket);
    case 'u':
      return client.upgrade(kWebSocket);
    case 't':
      return client.send(rest, false);
    case 'y':
      return client.send(rest, true);
    case 'x':
      return client.lose_web_socket();
    case 'q':
      return client.toggle_reading();
    case 'a':
      return client.give_up();
    case 'g':
      return client.ask_api(net::Method::kGet, rest, {});
    case 'G': {
      const std::string_view path = take_until(rest, ' ');
      return client.ask_api(net::Method::kPost, path, rest);
    }
    default:
      return;
  }
}

std::string SessionPlay::expanded(std::string_view line) const {
  std::string out(take_until(line, '$'));
  while (!line.empty()) {
    out += clients_[line[0] & 3].socket();
    line.remove_prefix(1);
    out += take_until(line, '$');
  }
  return out;
}

// A digit for the kind, then "sender|scope|room|socket|packet|attachment|...".
std::string SessionPlay::message(std::string_view text) {
  if (text.empty()) return {};
  store::Envelope envelope;
  envelope.kind = static_cast<store::EnvelopeKind>(text[0] - '0');
  text.remove_prefix(1);
  envelope.route = 1;
  envelope.sequence = ++messages_;
  for (std::string_view* field :
       {&envelope.sender, &envelope.scope, &envelope.room, &envelope.socket, &envelope.packet}) {
    *field = take_until(text, '|');
  }
  while (!text.empty()) envelope.attachments.push_back(take_until(text, '|'));
  return store::encode(envelope);
}

void SessionPlay::drain() {
  if (std::exchange(drains_, true)) return floors_.drain.hurry();
  floors_.service.drain();
  floors_.drain.start(kDrainMs, kDrainMs,
                      [this] { CHECK(floors_.engineio.open_sessions().empty()); });
}

void SessionPlay::pass(char how_long) {
  constexpr std::array<uint64_t, 8> kTimesMs = {1, 100, 600, 1000, 2600, 5100, 20100, 45100};
  const uint64_t ms = kTimesMs[how_long & 7];
  pass_time(ms);
  if (ms > static_cast<uint64_t>(floors_.options.redis_command_timeout)) redis_.let_expire();
}

}  // namespace fuzz
