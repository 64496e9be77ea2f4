#include "tests/bench/numbered.h"

#include <charconv>
#include <map>

namespace bench {
namespace {

constexpr std::string_view kNames[] = {"offer", "answer", "ice-candidate"};
constexpr std::string_view kMembers[] = {"offer", "answer", "candidate"};
constexpr std::string_view kNumber = R"({"n":)";
constexpr std::string_view kTime = R"(,"t":)";
constexpr std::string_view kCandidate =
    R"(,"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr )"
    R"(192.168.1.4 rport 46154 generation 0 ufrag 4ZcD network-cost 999","sdpMid":"0",)"
    R"("sdpMLineIndex":0,"usernameFragment":"4ZcD"})";
constexpr std::string_view kSession =
    R"(v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n)"
    R"(m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n)"
    R"(a=ice-ufrag:4ZcD\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n)";
constexpr std::string_view kLine =
    R"(a=candidate:1 1 udp 2122260223 192.168.1.4 46154 typ host\r\n)";

// What stands behind number and time, `bytes` of it or a little more; made once for each length.
const std::string& session_text(size_t bytes) {
  static std::map<size_t, std::string> made;
  std::string& text = made[bytes];
  if (text.empty()) {
    text = R"(,"type":"offer","sdp":")";
    text += kSession;
    while (text.size() + kLine.size() < bytes) text += kLine;
    text += "\"}";
  }
  return text;
}

std::string_view filler(Signal signal, size_t bytes) {
  return signal == Signal::kCandidate ? kCandidate : std::string_view(session_text(bytes));
}

bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc();
}

std::optional<Signal> signal_of(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<Signal>(i);
  }
  return std::nullopt;
}

}  // namespace

void Numbered::send(Client& from, const std::string& to, Signal signal) {
  const auto index = static_cast<size_t>(signal);
  std::string payload;
  payload.reserve(bytes_ + 200);
  payload.append(R"({"peerId":")").append(to).append("\",\"").append(kMembers[index]);
  payload.append("\":").append(kNumber).append(std::to_string(++sent_));
  payload.append(kTime).append(std::to_string(clock_now())).append(filler(signal, bytes_));
  payload.append(R"(,"from":")").append(from.id()).append("\"}");
  from.emit(kNames[index], payload);
}

std::string_view Numbered::take(const Event& event, const std::string& from, uint64_t& latency) {
  const auto signal = signal_of(event.name);
  if (!signal) return "event that nobody expects";
  if (text_member(event.payload, "from") != from) return "message from a stranger";
  if (text_member(event.payload, "peerId") != from) return "message with a wrong peerId";
  std::string_view text = member(event.payload, kMembers[static_cast<size_t>(*signal)]);
  uint64_t number = 0;
  uint64_t time = 0;
  if (!skip(text, kNumber) || !take_number(text, number) || !skip(text, kTime) ||
      !take_number(text, time) || text != filler(*signal, bytes_)) {
    return "message changed under way";
  }
  const uint64_t expected = received_ + 1;
  if (number < expected) return "message twice or out of order";
  received_ = number;
  if (number > expected) return "message lost";
  latency = clock_now() - time;
  return {};
}

bool is_signal(const Event& event) {
  return signal_of(event.name).has_value();
}

}  // namespace bench
