#include "engine/socketio/packet.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace signalbox::socketio {
namespace {

using json::Type;
using json::Value;

constexpr uint64_t kMaxId = (uint64_t{1} << 53) - 1;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool is_ack(PacketType type) {
  return type == PacketType::kAck || type == PacketType::kBinaryAck;
}
bool is_binary(PacketType type) {
  return type == PacketType::kBinaryEvent || type == PacketType::kBinaryAck;
}

std::string_view without_leading_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view without_space(std::string_view text) {
  text = without_leading_space(text);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the digits at the beginning of `text`. Nothing when there are none or they exceed
// `maximum`.
std::optional<uint64_t> take_number(std::string_view& text, uint64_t maximum) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number > maximum) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(stopped - text.data()));
  return number;
}

// Validates `text` as the payload of an event, and reads that.
bool read_event(std::string_view text, std::optional<Event>& read) {
  Event event;
  std::array<Value, 1> elements;
  const auto count = json::scan_array(text, elements, &event.argument);
  if (!count || *count == 0) return false;
  const Value& name = elements[0];
  if (name.type == Type::kNumber) {
    event.name = name.text;
  } else if (name.type != Type::kString) {
    return false;
  } else if (!json::decode_string(name.text, event.name)) {
    return true;
  } else if (reserved_event(event.name)) {
    return false;
  }
  if (*count > 1) {
    text.remove_prefix(static_cast<size_t>(name.text.data() + name.text.size() - text.data()));
    text.remove_suffix(1);  // the bracket
    event.arguments = without_leading_space(text).substr(1);
  }
  read = std::move(event);
  return true;
}

// Validates `text`, which is not empty, as the payload of a packet of this type.
Value scan_payload(Packet& packet, std::string_view text) {
  Value value;
  switch (packet.type) {
    case PacketType::kConnect:
      value = json::scan_document(text);
      return value.type == Type::kObject ? value : Value{};
    case PacketType::kDisconnect:
      return {};
    case PacketType::kConnectError:
      value = json::scan_document(text);
      return value.type == Type::kObject || value.type == Type::kString ? value : Value{};
    case PacketType::kEvent:
    case PacketType::kBinaryEvent:
      return read_event(text, packet.event) ? Value{Type::kArray, text} : Value{};
    case PacketType::kAck:
    case PacketType::kBinaryAck:
      return json::scan_array(text, {}) ? Value{Type::kArray, text} : Value{};
  }
  return {};
}

// Walks a validated payload once, all levels of it, and notes the numbers that placeholders mean.
class PlaceholderWalk {
 public:
  PlaceholderWalk(std::string_view text, size_t attachments) : rest_(text), meant_(attachments) {}

  bool valid() {
    return value(0) && std::find(meant_.begin(), meant_.end(), false) == meant_.end();
  }

 private:
  bool value(unsigned depth) {
    rest_ = without_leading_space(rest_);
    if (rest_.empty() || depth > json::kMaxDepth) return false;
    if (rest_.front() == '[') return array(depth);
    if (rest_.front() == '{') return object(depth);
    return scalar().present();
  }

  bool array(unsigned depth) {
    rest_.remove_prefix(1);
    if (take(']')) return true;
    do {
      if (!value(depth + 1)) return false;
    } while (take(','));
    return take(']');
  }

  bool object(unsigned depth) {
    rest_.remove_prefix(1);
    if (take('}')) return true;
    bool is_placeholder = false;
    std::string_view number;
    std::string name;
    do {
      // A name that is no Unicode stays empty, and is not one that we look for.
      const Value quoted = scalar();
      if (quoted.type != Type::kString || !take(':')) return false;
      if (!json::decode_string(quoted.text, name)) name.clear();
      const std::string_view before = rest_ = without_leading_space(rest_);
      if (!value(depth + 1)) return false;
      const std::string_view text = before.substr(0, before.size() - rest_.size());
      if (name == "_placeholder") is_placeholder = text == "true";
      if (name == "num") number = text;
    } while (take(','));
    return take('}') && (!is_placeholder || note(number));
  }

  bool note(std::string_view text) {
    const std::optional<uint64_t> number = take_number(text, kMaxId);
    if (!number || !text.empty() || *number >= meant_.size()) return false;
    meant_[*number] = true;
    return true;
  }

  Value scalar() {
    size_t length = 0;
    const Value value = json::scan_value(rest_, &length);
    rest_.remove_prefix(length);
    return value;
  }

  bool take(char c) {
    rest_ = without_leading_space(rest_);
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
  std::vector<bool> meant_;
};

}  // namespace

bool reserved_event(std::string_view name) {
  constexpr std::array<std::string_view, 6> kReserved = {
      "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

std::optional<Packet> decode_packet(std::string_view text, size_t max_attachments) {
  if (text.empty() || text[0] < '0' || text[0] > '6') return std::nullopt;
  Packet packet;
  packet.type = static_cast<PacketType>(text[0]);
  text.remove_prefix(1);

  if (is_binary(packet.type)) {
    const auto count = take_number(text, std::min<uint64_t>(max_attachments, UINT32_MAX));
    if (!count || *count == 0 || !text.starts_with('-')) return std::nullopt;
    packet.attachments = static_cast<uint32_t>(*count);
    text.remove_prefix(1);
  }

  if (text.starts_with('/')) {
    const size_t comma = text.find(',');
    packet.nsp = text.substr(0, comma);
    packet.nsp = packet.nsp.substr(0, packet.nsp.find('?'));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }

  // The reference parser takes white space for digits, before the id and behind it.
  text = without_space(text);
  if (!text.empty() && is_digit(text.front())) {
    packet.id = take_number(text, kMaxId);
    if (!packet.id) return std::nullopt;
    text = without_leading_space(text);
  }

  if (text.empty()) {
    return is_binary(packet.type) ? std::nullopt : std::optional(std::move(packet));
  }
  packet.payload = scan_payload(packet, text);
  return packet.payload.present() ? std::optional(std::move(packet)) : std::nullopt;
}

std::string encode_packet(PacketType type, std::string_view nsp, std::optional<uint64_t> id,
                          std::string_view payload, size_t attachments) {
  constexpr size_t kNumbers = 32;  // room for the type, the count and the id
  std::string text;
  text.reserve(kNumbers + nsp.size() + payload.size());
  if (attachments != 0) {
    text += static_cast<char>(is_ack(type) ? PacketType::kBinaryAck : PacketType::kBinaryEvent);
    text += std::to_string(attachments);
    text += '-';
  } else {
    text += static_cast<char>(type);
  }
  if (nsp != "/") text.append(nsp) += ',';
  if (id) text += std::to_string(*id);
  text += payload;
  return text;
}

bool placeholders_valid(std::string_view payload, size_t attachments) {
  return PlaceholderWalk(payload, attachments).valid();
}

}  // namespace signalbox::socketio
