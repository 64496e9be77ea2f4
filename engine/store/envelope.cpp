#include "engine/store/envelope.h"

#include <algorithm>

namespace signalbox::store {
namespace {

constexpr uint8_t kVersion = 1;
constexpr auto kLastKind = EnvelopeKind::kNamespaceEvent;
// No packet has as many: options.socketio_max_attachments ends at 1000.
constexpr size_t kMaxAttachments = 1000;

template <typename Number>
void append_number(std::string& out, Number number) {
  for (size_t shift = sizeof(Number) * 8; shift > 0; shift -= 8) {
    out += static_cast<char>(number >> (shift - 8));
  }
}

void append_field(std::string& out, std::string_view field) {
  append_number(out, static_cast<uint32_t>(field.size()));
  out += field;
}

// Takes numbers and fields off a text, mostly its front; once one is missing all others are, too.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

  std::string_view take(size_t length) {
    if (length > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return taken;
  }

  template <typename Number>
  Number number() {
    Number value = 0;
    for (const char byte : take(sizeof(Number))) {
      value = static_cast<Number>((value << 8U) | static_cast<unsigned char>(byte));
    }
    return value;
  }

  std::string_view field() { return take(number<uint32_t>()); }

  // Off the end of the text.
  template <typename Number>
  Number last_number() {
    Reader end(bytes_.substr(bytes_.size() - std::min(bytes_.size(), sizeof(Number))));
    bytes_.remove_suffix(end.bytes_.size());
    const auto value = end.number<Number>();
    ok_ = ok_ && end.ok_;
    return value;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace

std::string encode_unstamped(const Envelope& envelope) {
  constexpr size_t kOverhead = 64;
  size_t size = kOverhead + envelope.scope.size() + envelope.room.size() + envelope.packet.size();
  for (const std::string_view attachment : envelope.attachments) size += attachment.size() + 4;
  std::string out;
  out.reserve(size);
  append_number(out, kVersion);
  append_number(out, static_cast<uint8_t>(envelope.kind));
  out += envelope.sender;
  append_number(out, envelope.route);
  append_number(out, envelope.sequence);
  append_field(out, envelope.scope);
  append_field(out, envelope.room);
  append_field(out, envelope.socket);
  append_field(out, envelope.packet);
  for (const std::string_view attachment : envelope.attachments) append_field(out, attachment);
  return out;
}

std::string encode(const Envelope& envelope) {
  std::string out = encode_unstamped(envelope);
  append_number(out, envelope.stamp);
  return out;
}

DecodeResult decode(std::string_view bytes, Envelope& out) {
  out = {};
  Reader reader(bytes);
  const auto version = reader.number<uint8_t>();
  if (!reader.ok()) return DecodeResult::kMalformed;
  if (version != kVersion) return DecodeResult::kUnknown;
  out.stamp = reader.last_number<uint64_t>();
  const auto kind = reader.number<uint8_t>();
  out.kind = static_cast<EnvelopeKind>(kind);
  out.sender = reader.take(kNodeIdLength);
  out.route = reader.number<uint32_t>();
  out.sequence = reader.number<uint64_t>();
  out.scope = reader.field();
  out.room = reader.field();
  out.socket = reader.field();
  out.packet = reader.field();
  while (reader.ok() && !reader.at_end()) {
    if (out.attachments.size() == kMaxAttachments) return DecodeResult::kMalformed;
    out.attachments.push_back(reader.field());
  }
  if (!reader.ok()) return DecodeResult::kMalformed;
  const bool known = kind >= 1 && kind <= static_cast<uint8_t>(kLastKind);
  return known ? DecodeResult::kOk : DecodeResult::kUnknown;
}

}  // namespace signalbox::store
