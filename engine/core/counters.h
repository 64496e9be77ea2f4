// What the engine counts. A counter's name is written once, here; a report of all of them walks
// kCounters.
//
// Thread: the loop's.
// Owner: the engine owns the one Counters; everything below it holds a reference and adds to it.
#pragma once

#include <cstdint>

namespace signalbox {

// X(name, what it counts)
#define SIGNALBOX_COUNTERS(X)                                                                     \
  X(connections_accepted, "connections taken from the listener")                                  \
  X(connections_refused, "connections closed at once, for a limit or for want of descriptors")    \
  X(http_requests, "HTTP requests, those of polling included")                                    \
  X(sessions_opened, "Engine.IO sessions opened")                                                 \
  X(sessions_closed, "Engine.IO sessions closed")                                                 \
  X(upgrades, "sessions moved from polling to WebSocket")                                         \
  X(packets_invalid, "packets that could not be decoded and closed their session")                \
  X(messages_received, "messages from clients")                                                   \
  X(messages_sent, "messages to clients")                                                         \
  X(messages_dropped, "messages not sent: the session was over, or its client reads too slowly")  \
  X(messages_dropped_no_socket, "messages of the host not sent: their socket was gone")           \
  X(decisions_timed_out, "questions that the host did not answer in time")                        \
  X(events_dropped_invalid, "events dropped for a payload that cannot be used")                   \
  X(events_unhandled, "events that nobody had a handler for")                                     \
  X(acks_unexpected, "acknowledgements that nobody waited for, or not any more")                  \
  X(events_dropped_no_room, "events dropped because their sender is in no room")                  \
  X(events_dropped_stranger, "events dropped because their receiver is not in the sender's room") \
  X(relays, "offers, answers and candidates passed on")                                           \
  X(joins, "rooms joined")                                                                        \
  X(joins_refused, "joins refused, for whatever reason")                                          \
  X(requests_limited, "joins and HTTP requests refused because their address had made too many")  \
  X(guesses, "names of rooms that do not exist, and wrong secrets")                               \
  X(tokens_refused, "connections, joins and HTTP requests refused for want of a valid token")     \
  X(sessions_limited, "sessions refused because their address had opened too many")               \
  X(rooms_created, "rooms created")                                                               \
  X(redis_unavailable, "operations that failed because Redis did not answer")                     \
  X(bus_sent, "messages passed on to other nodes")                                                \
  X(bus_dropped, "messages to other nodes dropped: not reached in time, or too many waited")      \
  X(bus_received, "messages of other nodes")                                                      \
  X(bus_missed, "messages of other nodes that were sent and never came")                          \
  X(bus_not_understood, "messages of other nodes that this version does not know")                \
  X(nodes_cleaned, "nodes that departed and that this one has cleaned up after")                  \
  X(sockets_bound_again, "sockets bound again, because Redis may have lost them")                 \
  X(connections_refused_address, "connections and requests refused: their address has too many")  \
  X(handshakes_refused, "connections closed at once: too many have yet to send a request")        \
  X(handshakes_timed_out, "connections closed: their request was not there in time")              \
  X(requests_malformed, "requests refused for their header, its size or form")                    \
  X(proxy_headers_invalid, "connections closed for want of a valid PROXY header")                 \
  X(tls_handshakes_failed, "connections closed: their TLS handshake failed")

struct Counters {
#define SIGNALBOX_COUNTER_MEMBER(name, doc) uint64_t name = 0;
  SIGNALBOX_COUNTERS(SIGNALBOX_COUNTER_MEMBER)
#undef SIGNALBOX_COUNTER_MEMBER
};

struct CounterInfo {
  const char* name;
  const char* doc;  // one line
  uint64_t Counters::*value;
};

inline constexpr CounterInfo kCounters[] = {
#define SIGNALBOX_COUNTER_INFO(name, doc) {#name, doc, &Counters::name},
    SIGNALBOX_COUNTERS(SIGNALBOX_COUNTER_INFO)
#undef SIGNALBOX_COUNTER_INFO
};

}  // namespace signalbox
