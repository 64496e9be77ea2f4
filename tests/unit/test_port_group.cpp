// Servers that share a port: who is where, and how much they may have together.
#include "engine/net/port_group.h"

#include <set>
#include <string>

#include "engine/core/log.h"
#include "engine/net/server.h"
#include "tests/unit/unit_test.h"

using signalbox::Counters;
using signalbox::ErrorCode;
using signalbox::Log;
using signalbox::LogLevel;
using signalbox::Loop;
using signalbox::Options;
namespace net = signalbox::net;

// A server that nobody asks anything.
class Nobody : public net::Handler {
 public:
  size_t body_limit(const net::Request&) override { return 0; }
  void on_request(const std::shared_ptr<net::HttpExchange>&) override {}
  std::variant<std::unique_ptr<net::WebSocketHandler>, net::Response> on_upgrade(
      const net::Request&) override {
    return net::Response();
  }
};

struct Somewhere {
  Loop loop;
  Log log{LogLevel::kError, {}};
  Options options;
  net::OriginPolicy origins{{}};
  Counters counters;
  Nobody nobody;
  net::Server server{loop, log, options, origins, counters, nobody};
};

static size_t add(net::PortGroup& group) {
  size_t place = 0;
  assert_true(group.add_place(place).ok());
  return place;
}

static void places_are_told_apart_by_one_character(void**) {
  net::PortGroup group;
  assert_string_equal(group.id_prefix(0).c_str(), "");
  std::set<std::string> prefixes;
  for (size_t i = 1; i < net::PortGroup::kMostPlaces; ++i) assert_int_equal(add(group), i);
  for (size_t i = 0; i < net::PortGroup::kMostPlaces; ++i) prefixes.insert(group.id_prefix(i));
  assert_int_equal(prefixes.size(), net::PortGroup::kMostPlaces);
  for (const std::string& prefix : prefixes) assert_int_equal(prefix.size(), 1);
  size_t place = 0;
  assert_true(group.add_place(place).code() == ErrorCode::kInvalid);
}

static void nobody_is_added_once_one_listens(void**) {
  net::PortGroup group;
  group.seal();
  size_t place = 0;
  assert_true(group.add_place(place).code() == ErrorCode::kState);
  assert_true(group.alone());
}

static void a_session_is_elsewhere_only_where_a_server_is(void**) {
  Somewhere other;
  net::PortGroup group;
  const size_t there = add(group);
  const std::string id = group.id_prefix(there) + "rest";
  assert_false(group.elsewhere(0, id).has_value());
  group.enter(there, other.loop, other.server);
  assert_true(group.elsewhere(0, id) == there);
  assert_false(group.elsewhere(there, id).has_value());
  assert_false(group.elsewhere(0, group.id_prefix(0) + "rest").has_value());
  for (const char* unknown : {"", "Crest", "_rest", "?rest", "\xff"}) {
    assert_false(group.elsewhere(0, unknown).has_value());
  }
  group.leave(there);
  assert_false(group.elsewhere(0, id).has_value());
}

static void tasks_run_until_the_server_leaves(void**) {
  Somewhere other;
  net::PortGroup group;
  const size_t there = add(group);
  int runs = 0;
  const auto task = [&](net::Server& server) {
    assert_ptr_equal(&server, &other.server);
    ++runs;
  };
  assert_false(group.post(there, task));
  group.enter(there, other.loop, other.server);
  assert_true(group.post(there, task));
  other.loop.turn(0);
  assert_int_equal(runs, 1);
  assert_true(group.post(there, task));
  group.leave(there);
  other.loop.turn(0);
  assert_int_equal(runs, 1);
  assert_false(group.post(there, task));
}

static void the_least_busy_is_found(void**) {
  Somewhere one;
  Somewhere two;
  net::PortGroup group;
  const size_t other = add(group);
  group.enter(0, one.loop, one.server);
  assert_int_equal(group.least_busy(0), 0);
  group.add_burden(0);
  assert_int_equal(group.least_busy(0), 0);  // the other has not come
  group.enter(other, two.loop, two.server);
  assert_int_equal(group.least_busy(0), other);
  group.add_session(other);
  assert_int_equal(group.least_busy(0), 0);
  assert_int_equal(group.least_busy(other), other);
  group.take_no_new(0);
  assert_int_equal(group.least_busy(0), other);
  group.take_no_new(other);
  assert_int_equal(group.least_busy(0), 0);
}

static void connections_and_sessions_are_counted_together(void**) {
  auto group = std::make_shared<net::PortGroup>();
  const size_t other = add(*group);
  assert_true(group->add_connection(2));
  {
    assert_true(group->add_connection(2));
    net::Arrival arrival(std::make_shared<net::Presence>(group, net::Address()), dup(0));
    arrival.presence().assign(other);
    assert_false(group->add_connection(2));
  }
  assert_true(group->add_connection(2));
  group->add_session(0);
  group->add_session(other);
  assert_int_equal(group->sessions(), 2);
  group->remove_sessions(other, 1);
  assert_int_equal(group->sessions(), 1);
}

static void who_waits_is_counted_where_it_waits(void**) {
  auto group = std::make_shared<net::PortGroup>();
  const size_t other = add(*group);
  net::WaitingLine here_line(*group, 0);
  net::WaitingLine other_line(*group, other);
  assert_false(here_line.end_first());
  const auto come = [&](net::WaitingLine& line) {
    assert_true(group->add_connection(9));
    auto presence = std::make_unique<net::Presence>(group, net::Address());
    presence->wait_in(line);
    return presence;
  };
  auto first = come(here_line);
  const auto second = come(here_line);
  assert_int_equal(group->longest_line(other), 0);
  first->wait_in(other_line);
  assert_int_equal(group->longest_line(other), other);
  assert_int_equal(group->longest_line(0), 0);
  const auto third = come(other_line);
  assert_int_equal(group->longest_line(0), other);
  assert_int_equal(group->waiting(), 3);
  third->request_is_whole();
  third->wait_in(other_line);
  assert_int_equal(group->waiting(), 2);
  first->set_end([&] { first.reset(); });
  assert_true(other_line.end_first());
  assert_true(first == nullptr);
  assert_int_equal(group->waiting(), 1);
  assert_false(other_line.end_first());
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(places_are_told_apart_by_one_character),
      cmocka_unit_test(nobody_is_added_once_one_listens),
      cmocka_unit_test(a_session_is_elsewhere_only_where_a_server_is),
      cmocka_unit_test(tasks_run_until_the_server_leaves),
      cmocka_unit_test(the_least_busy_is_found),
      cmocka_unit_test(connections_and_sessions_are_counted_together),
      cmocka_unit_test(who_waits_is_counted_where_it_waits),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
