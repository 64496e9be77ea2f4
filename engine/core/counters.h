// What the engine counts, and the times it measures. A counter's name is written once, here, and so
// is a gauge's and a histogram's; a report of all of them walks kCounters, kGauges and kHistograms.
//
// Thread: the loop's adds; any thread may read.
// Owner: the engine owns the one Counters; everything below it holds a reference and adds to it.
#pragma once

#include "engine/core/counter.h"
#include "engine/core/histogram.h"

namespace signalbox {

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

#define SIGNALBOX_GAUGES(X)                            \
  X(rooms, "rooms that clients of this engine are in") \
  X(nodes, "engines that share the rooms of this Redis, as of its last heartbeat")

#define SIGNALBOX_HISTOGRAMS(X)                                                                   \
  X(join_duration, "time from a client's join to its answer, where Redis was asked")              \
  X(relay_duration,                                                                               \
    "time from an offer, answer or candidate to its write to the receiver, or to its receiver's " \
    "node")                                                                                       \
  X(redis_round_trip, "time from a command to Redis to its reply")

struct Counters {
#define SIGNALBOX_COUNTER_MEMBER(name, doc) Counter name;
  SIGNALBOX_COUNTERS(SIGNALBOX_COUNTER_MEMBER)
#undef SIGNALBOX_COUNTER_MEMBER
#define SIGNALBOX_GAUGE_MEMBER(name, doc) Gauge name;
  SIGNALBOX_GAUGES(SIGNALBOX_GAUGE_MEMBER)
#undef SIGNALBOX_GAUGE_MEMBER
#define SIGNALBOX_HISTOGRAM_MEMBER(name, doc) Histogram name;
  SIGNALBOX_HISTOGRAMS(SIGNALBOX_HISTOGRAM_MEMBER)
#undef SIGNALBOX_HISTOGRAM_MEMBER
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

struct GaugeInfo {
  const char* name;
  const char* doc;  // one line
  Gauge Counters::*value;
};

inline constexpr GaugeInfo kGauges[] = {
#define SIGNALBOX_GAUGE_INFO(name, doc) {#name, doc, &Counters::name},
    SIGNALBOX_GAUGES(SIGNALBOX_GAUGE_INFO)
#undef SIGNALBOX_GAUGE_INFO
};

struct HistogramInfo {
  const char* name;
  const char* doc;  // one line
  Histogram Counters::*value;
};

inline constexpr HistogramInfo kHistograms[] = {
#define SIGNALBOX_HISTOGRAM_INFO(name, doc) {#name, doc, &Counters::name},
    SIGNALBOX_HISTOGRAMS(SIGNALBOX_HISTOGRAM_INFO)
#undef SIGNALBOX_HISTOGRAM_INFO
};

}  // namespace signalbox
