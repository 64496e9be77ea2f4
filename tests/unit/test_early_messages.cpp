#include "engine/signaling/early_messages.h"

#include <vector>

#include "tests/unit/unit_test.h"

using namespace signalbox::signaling;
using signalbox::Loop;
using signalbox::Options;
using signalbox::store::Envelope;
using signalbox::store::EnvelopeKind;

namespace {

// Records what is delivered, as "<sender> <room> <packet>". Messages are due up to a stamp.
struct Early {
  Loop loop;
  Options options;
  uint64_t heard = 10;
  std::vector<std::string> delivered;
  std::vector<uint64_t> given_up;
  EarlyMessages messages{
      loop,
      options,
      {.is_due = [this](const Envelope& envelope) { return envelope.stamp <= heard; },
       .deliver =
           [this](const Envelope& envelope) {
             delivered.push_back(std::string(envelope.sender) + ' ' + std::string(envelope.room) +
                                 ' ' + std::string(envelope.packet));
           },
       .give_up =
           [this](const Envelope& envelope) {
             given_up.push_back(envelope.stamp);
             heard = std::max(heard, envelope.stamp);
           }}};

  bool take(const std::string& sender, const std::string& room, const std::string& packet,
            uint64_t stamp) {
    Envelope envelope;
    envelope.kind = EnvelopeKind::kRelay;
    envelope.sender = sender;
    envelope.room = room;
    envelope.packet = packet;
    envelope.stamp = stamp;
    return messages.take(envelope);
  }
  void assert_delivered(const std::vector<std::string>& expected) {
    if (delivered != expected) {
      for (const std::string& each : delivered) print_error("delivered: %s\n", each.c_str());
    }
    assert_true(delivered == expected);
    delivered.clear();
  }
};

void what_is_due_is_delivered_at_once(void**) {
  Early early;
  assert_true(early.take("node", "r", "1", 10));
  assert_true(early.take("node", "r", "2", 0));
  early.assert_delivered({"node r 1", "node r 2"});
}

void what_is_early_waits_for_the_news_and_what_follows_for_it(void**) {
  Early early;
  assert_true(early.take("node", "r", "1", 11));
  assert_true(early.take("node", "r", "2", 0));
  assert_true(early.take("node", "s", "3", 0));
  assert_true(early.take("othr", "r", "4", 10));
  early.assert_delivered({"node s 3", "othr r 4"});
  early.messages.on_news("r");  // of something else
  early.messages.on_news("s");
  early.assert_delivered({});
  early.heard = 11;
  early.messages.on_news("r");
  early.assert_delivered({"node r 1", "node r 2"});
  assert_true(early.take("node", "r", "5", 11));
  early.assert_delivered({"node r 5"});
  assert_int_equal(early.given_up.size(), 0);
}

void one_sender_does_not_keep_the_others(void**) {
  Early early;
  early.take("aaaa", "r", "1", 12);
  early.take("bbbb", "r", "2", 11);
  early.take("aaaa", "r", "3", 11);
  early.heard = 11;
  early.messages.on_news("r");
  early.assert_delivered({"bbbb r 2"});
  early.heard = 12;
  early.messages.on_news("r");
  early.assert_delivered({"aaaa r 1", "aaaa r 3"});
}

void news_that_do_not_come_are_given_up(void**) {
  Early early;
  early.take("node", "r", "1", 11);
  early.take("node", "r", "2", 12);
  early.take("node", "s", "3", 13);
  const uint64_t begun = early.loop.now_ms();
  while (early.delivered.size() < 3) early.loop.turn(-1);
  assert_in_range(early.loop.now_ms() - begun, 900, 3000);
  assert_true(std::ranges::find(early.given_up, 13U) != early.given_up.end());
  // In a room they keep their order; between two there is none.
  std::ranges::sort(early.delivered);
  early.assert_delivered({"node r 1", "node r 2", "node s 3"});
}

void more_than_may_wait_are_dropped(void**) {
  Early early;
  early.options.node_max_buffered = 1000;
  assert_true(early.take("node", "r", std::string(400, 'x'), 11));
  assert_false(early.take("node", "r", std::string(600, 'x'), 11));
  early.heard = 11;
  early.messages.on_news("r");
  assert_int_equal(early.delivered.size(), 1);
  early.heard = 10;
  assert_true(early.take("node", "r", std::string(600, 'x'), 11));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_due_is_delivered_at_once),
      cmocka_unit_test(what_is_early_waits_for_the_news_and_what_follows_for_it),
      cmocka_unit_test(one_sender_does_not_keep_the_others),
      cmocka_unit_test(news_that_do_not_come_are_given_up),
      cmocka_unit_test(more_than_may_wait_are_dropped),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
