// Packets of Engine.IO and Socket.IO, and what nodes say to each other.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/engineio/packet.h"
#include "engine/socketio/event_text.h"
#include "engine/socketio/packet.h"
#include "engine/store/envelope.h"
#include "tests/bench/micro/micro.h"
#include "tests/bench/micro/texts.h"

using namespace signalbox;

namespace {

constexpr int kPackets = 16;  // in a payload
constexpr size_t kMostAttachments = 10;

std::string payload_of(const std::string& packet) {
  std::string payload;
  for (int i = 0; i < kPackets; ++i) {
    engineio::append_to_payload(payload, engineio::PacketType::kMessage, false, packet);
  }
  return payload;
}

void engineio_decode(benchmark::State& state, const std::string& packet) {
  const std::string text = '4' + packet;
  micro::each(state, text, [&] { return engineio::decode_packet(text).has_value(); });
}

void engineio_payload_decode(benchmark::State& state, const std::string& packet) {
  const std::string payload = payload_of(packet);
  micro::each(state, payload, [&] {
    engineio::PayloadReader reader(payload);
    int packets = 0;
    while (reader.next()) ++packets;
    return packets == kPackets;
  });
}

void engineio_payload_encode(benchmark::State& state, const std::string& packet) {
  const size_t size = payload_of(packet).size();
  micro::each(state, payload_of(packet), [&] { return payload_of(packet).size() == size; });
}

void socketio_decode(benchmark::State& state, const std::string& packet) {
  micro::each(state, packet,
              [&] { return socketio::decode_packet(packet, kMostAttachments).has_value(); });
}

void socketio_encode(benchmark::State& state, const std::string& argument) {
  const std::string payload = "[\"offer\"," + argument + "]";
  micro::each(state, payload, [&] {
    return !socketio::encode_packet(socketio::PacketType::kEvent, "/", {}, payload).empty();
  });
}

// As the relay does.
void socketio_event(benchmark::State& state, const std::string& argument) {
  micro::each(state, argument, [&] {
    socketio::EventText event("/", "offer", 0, argument.size());
    event.arguments() += argument;
    return !event.finish().empty();
  });
}

store::Envelope envelope_of(const std::string& packet) {
  store::Envelope envelope;
  envelope.kind = store::EnvelopeKind::kRelay;
  envelope.sender = "aB-c";
  envelope.route = 1;
  envelope.sequence = 1;
  envelope.scope = "aB-cD4eF5gH6iZx3kQ9_";
  envelope.room = "482913";
  envelope.socket = "Zx3kQ9_aB-cD4eF5gH6i";
  envelope.packet = packet;
  return envelope;
}

void envelope_encode(benchmark::State& state, const std::string& packet) {
  const store::Envelope envelope = envelope_of(packet);
  micro::each(state, packet, [&] { return !store::encode(envelope).empty(); });
}

void envelope_decode(benchmark::State& state, const std::string& packet) {
  const std::string bytes = store::encode(envelope_of(packet));
  micro::each(state, bytes, [&] {
    store::Envelope envelope;
    return store::decode(bytes, envelope) == store::DecodeResult::kOk;
  });
}

BENCHMARK_CAPTURE(engineio_decode, offer, micro::offer_packet());
BENCHMARK_CAPTURE(engineio_payload_decode, candidates, micro::candidate_packet());
BENCHMARK_CAPTURE(engineio_payload_encode, candidates, micro::candidate_packet());
BENCHMARK_CAPTURE(socketio_decode, offer, micro::offer_packet());
BENCHMARK_CAPTURE(socketio_decode, candidate, micro::candidate_packet());
BENCHMARK_CAPTURE(socketio_encode, offer, micro::offer());
BENCHMARK_CAPTURE(socketio_encode, candidate, micro::candidate());
BENCHMARK_CAPTURE(socketio_event, offer, micro::offer());
BENCHMARK_CAPTURE(socketio_event, candidate, micro::candidate());
BENCHMARK_CAPTURE(envelope_encode, offer, micro::offer_packet());
BENCHMARK_CAPTURE(envelope_encode, candidate, micro::candidate_packet());
BENCHMARK_CAPTURE(envelope_decode, offer, micro::offer_packet());
BENCHMARK_CAPTURE(envelope_decode, candidate, micro::candidate_packet());

}  // namespace
