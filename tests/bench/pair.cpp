#include "tests/bench/pair.h"

namespace bench {

Pair::Pair(Scenario& scenario, Client::Transport transport, size_t bytes)
    : Play(scenario),
      first_(world(), *this),
      second_(world(), *this, {}, Node::kSecond),
      forth_(bytes),
      back_(bytes),
      transport_(transport),
      room_(world().room()) {}

void Pair::begin() {
  expect("connection");
  first_.connect(transport_);
}

void Pair::connected(Client& client) {
  if (&client == &second_) {
    join(second_);
    return;
  }
  expect("answer of create_room");
  post(first_, "/api/create_room", R"({"roomId":")" + room_ + R"("})",
       [this](int status, std::string_view body) {
         if (status == 200 && body.find(R"("success":true)") != std::string_view::npos) {
           join(first_);
         } else {
           fail("create_room answered " + std::to_string(status));
         }
       });
}

void Pair::join(Client& client) {
  expect("joinResponse");
  second_joined_ = first_told_ = false;
  client.emit("join", R"({"roomId":")" + room_ + R"("})");
}

void Pair::joined(Client& client, const Event& event) {
  if (member(event.payload, "success") != "true") {
    fail("join refused: " + std::string(text_member(event.payload, "message")));
  } else if (&client == &first_) {
    expect("connection");
    second_.connect(transport_, second_receive_buffer_);
  } else {
    second_joined_ = true;
    meet();
  }
}

void Pair::meet() {
  expect("joinResponse, or ready");
  if (!second_joined_ || !first_told_) return;
  expect_nothing();
  both_joined();
}

void Pair::heard(Client& client, const Event& event) {
  if (is_signal(event)) {
    uint64_t latency = 0;
    const Client& sender = other(client);
    const std::string_view wrong = from(sender).take(event, sender.id(), latency);
    if (wrong.empty()) {
      ++statistics().received;
      signalled(client, latency);
    } else {
      fail(wrong);
    }
    return;
  }
  if (event.name == "joinResponse") {
    joined(client, event);
    return;
  }
  const std::string_view peer = text_member(event.payload, "peerId");
  if (event.name == "peer-disconnected" && (peer == first_.id() || peer == second_.id())) {
    told_gone(client, peer == first_.id() ? first_ : second_);
  } else if (event.name == "ready" && &client == &first_ && peer == second_.id()) {
    first_told_ = true;
    meet();
  } else if (event.name == "ready" && world().apart() && &client == &second_ &&
             peer == first_.id()) {
    // Between nodes the news that first_ has joined may take longer than second_ takes to join.
    scenario().note("late ready");
  } else {
    fail("unexpected " + std::string(event.name));
  }
}

void Pair::told_gone(Client&, Client&) {
  fail("peer-disconnected of one who is there");
}

void Pair::signal(Client& from_client, Signal signal) {
  ++statistics().sent;
  from(from_client).send(from_client, other(from_client).id(), signal);
}

void Pair::leave_room(Client& client, Api::Answered answered) {
  post(client, "/api/leave_room",
       R"({"roomId":")" + room_ + R"(","socketId":")" + client.id() + R"("})", std::move(answered));
}

}  // namespace bench
