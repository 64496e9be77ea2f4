#include "tests/bench/plays.h"

namespace bench {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll = {
      {"relay",
       "pairs that send each other numbered messages; messages: a second, of each pair (20), 0: "
       "each when the last has come; candidates: after each offer (0); bytes: of an offer (1500); "
       "polling: 1 for polling in place of WebSockets (0)",
       make_relay},
      {"session",
       "two connect, create a room, join, exchange offer, answer and 16 candidates, and leave in "
       "one of several ways; ending: always in this one (0 to 4)",
       make_session},
      {"polling",
       "pairs that meet over polling and exchange messages while one of them or both upgrade",
       make_polling},
      {"abort", "connections that are reset at some stage of request, handshake, frame or poll",
       make_abort},
      {"slow",
       "readers that stop reading until they are closed while their peer sends, and then come "
       "back; "
       "flood: bytes a second (10000000); bytes: after which the peer stops to send, 0: never (0)",
       make_slow},
      {"flood", "clients that send more packets than they may; packets: a second, of each (5000)",
       make_flood},
      {"connect", "clients that connect to the namespace and go", make_connect},
      {"check", "clients that ask check_room, one question after the other", make_check},
      {"idle", "clients that sit in a room and answer pings", make_idle},
      {"loris", "connections that send a byte of a request header now and then", make_loris},
      {"abandon", "polling sessions of which nothing is heard after their handshake", make_abandon},
  };
  return kAll;
}

}  // namespace bench
