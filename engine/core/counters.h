// What the engine counts. A counter's name is written once, here; a report of all of them walks
// kCounters.
//
// Thread: the loop's adds; any thread may read.
// Owner: the engine owns the one Counters; everything below it holds a reference and adds to it.
#pragma once

#include <atomic>
#include <cstdint>

namespace signalbox {

class Counter {
 public:
  Counter& operator++() { return *this += 1; }
  // Only one thread adds: it needs no read-modify-write that others see as a whole.
  Counter& operator+=(uint64_t more) {
    value_.store(*this + more, std::memory_order_relaxed);
    return *this;
  }
  operator uint64_t() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// X(name, what it counts)
#define SIGNALBOX_COUNTERS(X)                                                                      \
  X(connections_accepted, "connections taken from the listener")                                   \
  X(connections_refused, "connections closed at once, for a limit or for want of descriptors")     \
  X(http_requests, "HTTP requests, those of polling included")                                     \
  X(bodies_too_large, "HTTP requests refused for the size of their body")                          \
  X(sessions_opened, "Engine.IO sessions opened")                                                  \
  X(sessions_closed, "Engine.IO sessions closed")                                                  \
  X(sessions_refused, "sessions refused because there were too many")                              \
  X(sessions_slow_reader, "sessions closed because their client reads too slowly")                 \
  X(sessions_silent, "sessions closed because a ping was not answered in time")                    \
  X(sessions_idle, "sessions closed because no namespace was connected in time")                   \
  X(upgrades, "sessions moved from polling to WebSocket")                                          \
  X(upgrades_timed_out, "upgrades to WebSocket given up because the client did not complete them") \
  X(messages_too_large, "messages that were too large: their connection was closed")               \
  X(clients_slowed, "times that a client was read no more for a while: it sent too many packets")  \
  X(packets_invalid, "packets that could not be decoded and closed their session")                 \
  X(messages_received, "messages from clients")                                                    \
  X(messages_sent, "messages to clients")                                                          \
  X(messages_dropped, "messages not sent: the session was over, or its client reads too slowly")   \
  X(messages_dropped_no_socket, "messages of the host not sent: their socket was gone")            \
  X(decisions_timed_out, "questions that the host did not answer in time")                         \
  X(events_dropped_invalid, "events dropped for a payload that cannot be used")                    \
  X(events_unhandled, "events that nobody had a handler for")                                      \
  X(acks_unexpected, "acknowledgements that nobody waited for, or not any more")                   \
  X(events_dropped_no_room, "events dropped because their sender is in no room")                   \
  X(events_dropped_stranger, "events dropped because their receiver is not in the sender's room")  \
  X(relays, "offers, answers and candidates passed on")                                            \
  X(joins, "rooms joined")                                                                         \
  X(joins_refused, "joins refused, for whatever reason")                                           \
  X(rooms_full, "joins refused because the room is full")                                          \
  X(requests_limited, "joins and HTTP requests refused because their address had made too many")   \
  X(guesses, "names of rooms that do not exist, and wrong secrets")                                \
  X(tokens_refused, "connections, joins and HTTP requests refused for want of a valid token")      \
  X(sessions_limited, "sessions refused because their address had opened too many")                \
  X(rooms_created, "rooms created")                                                                \
  X(referrers_as_other, "referrers counted as other: a day tells no more of them apart")           \
  X(redis_unavailable, "operations that failed because Redis did not answer")                      \
  X(bus_sent, "messages passed on to other nodes")                                                 \
  X(bus_dropped, "messages to other nodes dropped: not reached in time, or too many waited")       \
  X(bus_received, "messages of other nodes")                                                       \
  X(bus_missed, "messages of other nodes that were sent and never came")                           \
  X(bus_not_understood, "messages of other nodes that this version does not know")                 \
  X(nodes_cleaned, "nodes that departed and that this one has cleaned up after")                   \
  X(sockets_bound_again, "sockets bound again, because Redis may have lost them")                  \
  X(connections_refused_address, "connections and requests refused: their address has too many")   \
  X(handshakes_displaced, "connections closed for others: too many had yet to send a request")     \
  X(handshakes_timed_out, "connections closed: their request was not there in time")               \
  X(requests_malformed, "requests refused for their header, its size or form")                     \
  X(proxy_headers_invalid, "connections closed for want of a valid PROXY header")                  \
  X(tls_handshakes_failed, "connections closed: their TLS handshake failed")                       \
  X(callbacks_failed, "things left half done: an exception, for want of memory as a rule")         \
  X(bodies_refused, "HTTP requests refused in their body: too much is kept for all clients")       \
  X(log_lines_held_back, "lines of the log that were not written: too many of one kind")

struct Counters {
#define SIGNALBOX_COUNTER_MEMBER(name, doc) Counter name;
  SIGNALBOX_COUNTERS(SIGNALBOX_COUNTER_MEMBER)
#undef SIGNALBOX_COUNTER_MEMBER
};

struct CounterInfo {
  const char* name;
  const char* doc;  // one line
  Counter Counters::*value;
};

inline constexpr CounterInfo kCounters[] = {
#define SIGNALBOX_COUNTER_INFO(name, doc) {#name, doc, &Counters::name},
    SIGNALBOX_COUNTERS(SIGNALBOX_COUNTER_INFO)
#undef SIGNALBOX_COUNTER_INFO
};

}  // namespace signalbox
