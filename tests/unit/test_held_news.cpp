#include "engine/signaling/held_news.h"

#include <vector>

#include "tests/unit/unit_test.h"

using namespace signalbox::signaling;
using signalbox::Options;
using signalbox::store::Envelope;
using signalbox::store::EnvelopeKind;

namespace {

// Records what is delivered, as "<room> <socket>".
struct News {
  Options options;
  HeldNews held{
      options, [this](const Envelope& envelope) {
        delivered.push_back(std::string(envelope.room) + ' ' + std::string(envelope.socket));
        if (on_delivery) on_delivery();
      }};
  std::vector<std::string> delivered;
  std::function<void()> on_delivery;

  bool take(const std::string& room, const std::string& socket) {
    Envelope envelope;
    envelope.kind = EnvelopeKind::kJoined;
    envelope.sender = "node";
    envelope.room = room;
    envelope.socket = socket;
    return held.take(envelope);
  }
  void assert_delivered(const std::vector<std::string>& expected) {
    if (delivered != expected) {
      for (const std::string& each : delivered) print_error("delivered: %s\n", each.c_str());
    }
    assert_true(delivered == expected);
    delivered.clear();
  }
};

void without_a_question_news_are_delivered_at_once(void**) {
  News news;
  assert_true(news.take("a", "1"));
  assert_true(news.take("", "2"));
  news.assert_delivered({"a 1", " 2"});
}

void news_wait_for_the_answer_in_order(void**) {
  News news;
  const uint64_t question = news.held.expect("a");
  for (const char* socket : {"1", "2", "3"}) assert_true(news.take("a", socket));
  assert_true(news.take("b", "1"));  // of a room that nobody asks about
  news.assert_delivered({"b 1"});
  news.held.arrived("a", question);
  news.assert_delivered({"a 1", "a 2", "a 3"});
  news.take("a", "4");
  news.assert_delivered({"a 4"});
}

// What came after the first question may have happened after the answer to the second.
void news_wait_for_all_questions_under_way(void**) {
  News news;
  news.held.expect("other");
  const uint64_t first = news.held.expect("a");
  news.take("a", "1");
  const uint64_t second = news.held.expect("a");
  news.take("a", "2");
  const uint64_t third = news.held.expect("a");
  news.take("a", "3");
  news.assert_delivered({});
  news.held.arrived("a", first);
  news.assert_delivered({"a 1"});
  news.held.arrived("a", second);
  news.assert_delivered({"a 2"});
  news.take("a", "4");
  news.assert_delivered({});
  news.held.arrived("a", third);
  news.assert_delivered({"a 3", "a 4"});
}

// A script that Redis did not know is sent again, behind others.
void answers_may_change_places(void**) {
  News news;
  const uint64_t first = news.held.expect("a");
  const uint64_t second = news.held.expect("a");
  news.take("a", "1");
  const uint64_t third = news.held.expect("a");
  news.take("a", "2");
  news.held.arrived("a", second);
  news.assert_delivered({"a 1"});
  news.held.arrived("a", first);
  news.assert_delivered({});
  news.held.arrived("a", third);
  news.assert_delivered({"a 2"});
}

void an_answer_to_no_question_changes_nothing(void**) {
  News news;
  news.held.arrived("a", 7);
  const uint64_t question = news.held.expect("a");
  news.held.arrived("b", question);
  news.take("a", "1");
  news.assert_delivered({});
  news.held.arrived("a", question);
  news.assert_delivered({"a 1"});
}

void no_more_than_so_many_bytes_wait(void**) {
  News news;
  news.options.node_max_buffered = 100'000;
  size_t most = 0;
  const uint64_t probe = news.held.expect("a");
  while (news.take("a", "1")) ++most;
  assert_in_range(most, 500, 2'000);
  news.held.arrived("a", probe);
  news.delivered.clear();

  const uint64_t a = news.held.expect("a");
  const uint64_t b = news.held.expect("b");
  for (size_t i = 0; i < most; ++i) assert_true(news.take(i < most / 2 ? "a" : "b", "1"));
  assert_false(news.take("a", "2"));
  assert_false(news.take("b", "2"));
  assert_true(news.take("c", "3"));  // need not wait
  news.assert_delivered({"c 3"});
  news.held.arrived("a", a);
  assert_int_equal(news.delivered.size(), most / 2);
  news.delivered.clear();
  // There is room again, exactly as much as was given back.
  for (size_t i = 0; i < most / 2; ++i) assert_true(news.take("b", "3"));
  assert_false(news.take("b", "4"));
  news.held.arrived("b", b);
  assert_int_equal(news.delivered.size(), most);
  assert_true(news.delivered.back() == "b 3");
}

void everything_of_a_message_is_kept(void**) {
  std::vector<std::string> seen;
  const Options options;
  HeldNews held(options, [&](const Envelope& got) {
    assert_true(got.kind == EnvelopeKind::kRelay);
    assert_int_equal(got.sequence, 7);
    for (const auto part : {got.sender, got.room, got.socket, got.packet}) seen.emplace_back(part);
    seen.insert(seen.end(), got.attachments.begin(), got.attachments.end());
  });
  const uint64_t question = held.expect("a");
  {
    std::string text = "to be overwritten";
    Envelope envelope;
    envelope.kind = EnvelopeKind::kRelay;
    envelope.sender = "node";
    envelope.sequence = 7;
    envelope.room = "a";
    envelope.socket = "s";
    envelope.packet = text;
    envelope.attachments = {text, ""};
    held.take(envelope);
    text.assign(text.size(), '#');
  }
  held.arrived("a", question);
  const std::vector<std::string> expected = {
      "node", "a", "s", "to be overwritten", "to be overwritten", ""};
  assert_true(seen == expected);
}

// Who is told may ask again at once.
void a_question_may_be_put_while_news_are_delivered(void**) {
  News news;
  const uint64_t first = news.held.expect("a");
  news.take("a", "1");
  news.take("a", "2");
  uint64_t second = 0;
  news.on_delivery = [&] {
    if (second == 0) second = news.held.expect("a");
  };
  news.held.arrived("a", first);
  news.assert_delivered({"a 1", "a 2"});
  news.take("a", "3");
  news.assert_delivered({});
  news.held.arrived("a", second);
  news.assert_delivered({"a 3"});
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(without_a_question_news_are_delivered_at_once),
      cmocka_unit_test(news_wait_for_the_answer_in_order),
      cmocka_unit_test(news_wait_for_all_questions_under_way),
      cmocka_unit_test(answers_may_change_places),
      cmocka_unit_test(an_answer_to_no_question_changes_nothing),
      cmocka_unit_test(no_more_than_so_many_bytes_wait),
      cmocka_unit_test(everything_of_a_message_is_kept),
      cmocka_unit_test(a_question_may_be_put_while_news_are_delivered),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
