// Slots, the map of them, and the error replies that correct it.
#include <memory>
#include <string>
#include <vector>

#include "engine/store/cluster_slots.h"
#include "engine/store/commands.h"
#include "tests/lib/redis_server.h"
#include "tests/store/client.h"
#include "tests/store/cmocka.h"

namespace {

using signalbox::Loop;
using signalbox::store::ClusterAddress;
using signalbox::store::key_slot;
using signalbox::store::kSlots;
using signalbox::store::read_redirection;
using signalbox::store::Redirection;
using signalbox::store::Reply;
using signalbox::store::SlotMap;
using signalbox::test::Client;
using signalbox::test::free_port;
using signalbox::test::RedisServer;

const ClusterAddress kAsked = {"asked.example", 7000};

Reply text(const std::string& value) {
  Reply reply;
  reply.type = Reply::Type::kText;
  reply.text = value;
  return reply;
}

Reply integer(int64_t value) {
  Reply reply;
  reply.type = Reply::Type::kInteger;
  reply.integer = value;
  return reply;
}

Reply nil() {
  Reply reply;
  reply.type = Reply::Type::kNil;
  return reply;
}

Reply array(std::vector<Reply> elements) {
  Reply reply;
  reply.type = Reply::Type::kArray;
  reply.elements = std::move(elements);
  return reply;
}

std::string owner(const SlotMap& map, int slot) {
  const ClusterAddress* address = map.owner(slot);
  return address == nullptr ? "nobody" : address->host + " " + std::to_string(address->port);
}

void slots_are_those_of_redis(void**) {
  RedisServer server({"--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port())});
  Loop loop;
  Client client(loop, server.url());
  std::vector<std::string> keys = {"",    "a",      "{}",     "{}a",     "{a",        "a}",
                                   "}{",  "{a}",    "{a}b",   "x{a}b",   "{a}{b}",    "{{a}}",
                                   "a{}", "}a{b}c", "{}{a}b", "room:42", "room:{42}", "{\xff\x80}"};
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    keys.push_back(all);
    keys.push_back(std::string(1, static_cast<char>(byte)));
  }
  for (const std::string& key : keys) {
    assert_int_equal(key_slot(key), client.integer({"CLUSTER", "KEYSLOT", key}));
  }
  assert_int_equal(key_slot("{room}:a"), key_slot("{room}:b"));
}

void reads_the_map_of_redis_5(void**) {
  const auto map = SlotMap::read(
      array({array({integer(0), integer(5460), array({text("10.0.0.1"), integer(1), text("id")}),
                    array({text("10.0.0.2"), integer(2), text("id")})}),
             array({integer(5462), integer(16383), array({text("::1"), integer(3), text("id")})})}),
      kAsked);
  assert_true(map.has_value());
  assert_string_equal(owner(*map, 0).c_str(), "10.0.0.1 1");
  assert_string_equal(owner(*map, 5460).c_str(), "10.0.0.1 1");
  assert_string_equal(owner(*map, 5461).c_str(), "nobody");
  assert_string_equal(owner(*map, 16383).c_str(), "::1 3");
  assert_false(map->complete());
  assert_int_equal(map->nodes().size(), 3);
  assert_int_equal(map->masters().size(), 2);
}

void a_host_that_was_left_out_is_the_one_asked(void**) {
  for (const Reply& host : {nil(), text("")}) {
    const Reply reply = array(
        {array({integer(0), integer(16383), array({host, integer(7001), text("id"), array({})})})});
    assert_string_equal(owner(*SlotMap::read(reply, kAsked), 1).c_str(), "asked.example 7001");
    // A unix socket is on this machine.
    assert_string_equal(owner(*SlotMap::read(reply, {"/run/redis.sock", 0}), 1).c_str(),
                        "127.0.0.1 7001");
  }
}

void a_host_without_the_name_it_should_have_is_known_by_address(void**) {
  const auto map_of = [](Reply values) {
    return *SlotMap::read(array({array({integer(0), integer(16383),
                                        array({text("?"), integer(7), text("id"), values})})}),
                          kAsked);
  };
  const Reply values = array({text("port"), integer(1), text("ip"), text("10.0.0.9")});
  assert_string_equal(owner(map_of(values), 1).c_str(), "10.0.0.9 7");
  assert_string_equal(owner(map_of(array({})), 1).c_str(), "nobody");
}

void what_is_no_map_is_refused(void**) {
  const Reply node = array({text("h"), integer(1), text("id")});
  for (const Reply& reply :
       {array({}), nil(), text("x"), array({integer(1)}), array({array({integer(0), integer(1)})}),
        array({array({integer(0), integer(16384), node})}),
        array({array({integer(-1), integer(5), node})}),
        array({array({text("0"), integer(5), node})})}) {
    assert_false(SlotMap::read(reply, kAsked).has_value());
  }
  for (const Reply& strange :
       {array({text("h"), integer(0), text("id")}), array({text("h"), integer(65536), text("id")}),
        array({text("a/b"), integer(1), text("id")}), array({text("u@h"), integer(1), text("id")}),
        array({text("h")}), integer(3)}) {
    const auto map = SlotMap::read(array({array({integer(0), integer(9), strange})}), kAsked);
    assert_string_equal(owner(*map, 0).c_str(), "nobody");
  }
}

void a_slot_changes_its_owner(void**) {
  SlotMap map;
  assert_false(map.complete());
  for (int slot = 0; slot < kSlots; ++slot) map.set_owner(slot, {"a", 1});
  assert_true(map.complete());
  map.set_owner(7, {"b", 2});
  assert_string_equal(owner(map, 7).c_str(), "b 2");
  assert_true(map.complete());
  assert_int_equal(map.masters().size(), 2);
  map.set_owner(7, {"a", 1});
  assert_int_equal(map.masters().size(), 1);
}

void reads_redirections(void**) {
  const auto at = [](const char* error) {
    const Redirection redirection = read_redirection(error, kAsked);
    const char* kinds[] = {"none", "moved", "ask", "later"};
    std::string result = kinds[static_cast<int>(redirection.kind)];
    if (redirection.address.port == 0) return result;
    return result + " " + std::to_string(redirection.slot) + " " + redirection.address.host + " " +
           std::to_string(redirection.address.port);
  };
  assert_string_equal(at("MOVED 3999 10.0.0.1:6381").c_str(), "moved 3999 10.0.0.1 6381");
  assert_string_equal(at("ASK 0 node.example:1").c_str(), "ask 0 node.example 1");
  assert_string_equal(at("MOVED 1 fe80::1:6381").c_str(), "moved 1 fe80::1 6381");
  assert_string_equal(at("MOVED 1 :6381").c_str(), "moved 1 asked.example 6381");
  assert_string_equal(at("MOVED 1 ?:6381").c_str(), "later");
  assert_string_equal(at("MOVED 1 a@b:6381").c_str(), "later");
  for (const char* later : {"TRYAGAIN Multiple keys", "CLUSTERDOWN The cluster is down",
                            "LOADING Redis is", "READONLY You can't", "MASTERDOWN Link"}) {
    assert_string_equal(at(later).c_str(), "later");
  }
  for (const char* other :
       {"ERR MOVED 1 a:1", "MOVED", "MOVED ", "MOVED 1", "MOVED 1 a", "MOVED a:1", "MOVED x a:1",
        "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED 1 a:0", "MOVED 1 a:65536",
        "MOVED 1 a:", "MOVEDX 1 a:1", "", "TRYAGAINX"}) {
    assert_string_equal(at(other).c_str(), "none");
  }
}

}  // namespace

int main() {
  signalbox::test::block_sigpipe();
  const CMUnitTest tests[] = {
      cmocka_unit_test(slots_are_those_of_redis),
      cmocka_unit_test(reads_the_map_of_redis_5),
      cmocka_unit_test(a_host_that_was_left_out_is_the_one_asked),
      cmocka_unit_test(a_host_without_the_name_it_should_have_is_known_by_address),
      cmocka_unit_test(what_is_no_map_is_refused),
      cmocka_unit_test(a_slot_changes_its_owner),
      cmocka_unit_test(reads_redirections),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
