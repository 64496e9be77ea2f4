#include "tests/bench/micro/texts.h"

namespace micro {
namespace {

constexpr size_t kBytes = 1500;

std::string event(const std::string& name, const std::string& argument) {
  return "2[\"" + name + "\"," + argument + "]";
}

std::string repeated(const std::string& text) {
  std::string all;
  while (all.size() + text.size() <= kBytes) all += text;
  return all;
}

}  // namespace

const std::string& offer() {
  static const std::string text =
      R"({"peerId":"Zx3kQ9_aB-cD4eF5gH6i","offer":{"type":"offer","sdp":")" +
      repeated(R"(a=candidate:1 1 udp 2122260223 192.168.1.4 46154 typ host\r\n)") +
      R"("},"from":"aB-cD4eF5gH6iZx3kQ9_"})";
  return text;
}

const std::string& candidate() {
  static const std::string text =
      R"({"peerId":"Zx3kQ9_aB-cD4eF5gH6i","candidate":{"candidate":"candidate:842163049 1 udp )"
      R"(1677729535 203.0.113.7 46154 typ srflx raddr 192.168.1.4 rport 46154 generation 0 ufrag )"
      R"(4ZcD network-cost 999","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"4ZcD"}})";
  return text;
}

const std::string& offer_packet() {
  static const std::string text = event("offer", offer());
  return text;
}

const std::string& candidate_packet() {
  static const std::string text = event("ice-candidate", candidate());
  return text;
}

const std::string& mixed_text() {
  static const std::string text = repeated("Grüße, 世界 ");
  return text;
}

}  // namespace micro
