#include "engine/store/cluster_slots.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/store/redis_reply.h"

namespace signalbox::store {
namespace {

// CRC-16/XMODEM: polynomial 0x1021, begins with 0, nothing reflected.
constexpr std::array<uint16_t, 256> kCrcTable = [] {
  std::array<uint16_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}();

unsigned crc16(std::string_view bytes) {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc = ((crc << 8) ^ kCrcTable[((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xff]) & 0xffff;
  }
  return crc;
}

std::optional<int> number_in(std::string_view text, int minimum, int maximum) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < minimum || number > maximum) {
    return std::nullopt;
  }
  return number;
}

// A unix socket is on this machine.
std::string host_of(const ClusterAddress& asked) {
  return asked.port == 0 ? "127.0.0.1" : asked.host;
}

// What is put into a URL, and is not meant to be one.
bool is_host(std::string_view host) {
  const auto strange = [](char c) {
    return c <= ' ' || c >= 0x7f || std::string_view("/@?#[]").find(c) != std::string_view::npos;
  };
  return !host.empty() && std::none_of(host.begin(), host.end(), strange);
}

// A node is [host, port, id, [key, value, ...]]; the last since Redis 7. The host is nil or empty
// when the node asked does not know it (then it is its own), and "?" when nodes are to be known by
// names and this one was given none: then its address is among the values.
std::optional<ClusterAddress> read_node(const Reply& node, const ClusterAddress& asked) {
  if (node.type != Reply::Type::kArray || node.elements.size() < 2) return std::nullopt;
  const int64_t port = node.elements[1].integer;
  if (node.elements[1].type != Reply::Type::kInteger || port < 1 || port > 65535) {
    return std::nullopt;
  }
  std::string host = node.elements[0].text;
  if (host == "?") {
    host.clear();
    if (node.elements.size() < 4) return std::nullopt;
    const std::vector<Reply>& values = node.elements[3].elements;
    for (size_t i = 0; i + 1 < values.size(); i += 2) {
      if (values[i].text == "ip") host = values[i + 1].text;
    }
    if (host.empty()) return std::nullopt;
  }
  if (host.empty()) host = host_of(asked);
  if (!is_host(host)) return std::nullopt;
  return ClusterAddress{std::move(host), static_cast<int>(port)};
}

bool is_slot(const Reply& reply) {
  return reply.type == Reply::Type::kInteger && reply.integer >= 0 && reply.integer < kSlots;
}

}  // namespace

int key_slot(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close != open + 1) {
      key = key.substr(open + 1, close - open - 1);
    }
  }
  return static_cast<int>(crc16(key) % kSlots);
}

// A range is [first slot, last slot, master, replica, ...].
std::optional<SlotMap> SlotMap::read(const Reply& reply, const ClusterAddress& asked) {
  if (reply.type != Reply::Type::kArray || reply.elements.empty()) return std::nullopt;
  SlotMap map;
  for (const Reply& range : reply.elements) {
    if (range.type != Reply::Type::kArray || range.elements.size() < 3) return std::nullopt;
    if (!is_slot(range.elements[0]) || !is_slot(range.elements[1])) return std::nullopt;
    for (size_t i = 2; i < range.elements.size(); ++i) {
      const auto node = read_node(range.elements[i], asked);
      if (!node) continue;  // without an address: its slots have no owner for us
      const uint16_t index = map.index_of(*node);
      if (i > 2) continue;
      for (int64_t slot = range.elements[0].integer; slot <= range.elements[1].integer; ++slot) {
        map.assign(static_cast<size_t>(slot), index);
      }
    }
  }
  return map;
}

const ClusterAddress* SlotMap::owner(int slot) const {
  const uint16_t index = owners_[static_cast<size_t>(slot)];
  return index == kNone ? nullptr : &nodes_[index];
}

void SlotMap::set_owner(int slot, const ClusterAddress& address) {
  assign(static_cast<size_t>(slot), index_of(address));
}

std::set<ClusterAddress> SlotMap::masters() const {
  std::set<ClusterAddress> masters;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (counts_[i] > 0) masters.insert(nodes_[i]);
  }
  return masters;
}

void SlotMap::assign(size_t slot, uint16_t index) {
  const auto count = [this](uint16_t owner) -> int& {
    return owner == kNone ? unowned_ : counts_[owner];
  };
  --count(owners_[slot]);
  ++count(index);
  owners_[slot] = index;
}

uint16_t SlotMap::index_of(const ClusterAddress& address) {
  const auto index = std::find(nodes_.begin(), nodes_.end(), address) - nodes_.begin();
  if (index == kNone) return kNone;  // no cluster is that large
  if (index == std::ssize(nodes_)) {
    nodes_.push_back(address);
    counts_.push_back(0);
  }
  return static_cast<uint16_t>(index);
}

// "MOVED 3999 10.0.0.1:6381", and the same with ASK. An IPv6 address stands there without brackets.
Redirection read_redirection(std::string_view error, const ClusterAddress& asked) {
  Redirection redirection;
  const size_t space = error.find(' ');
  const std::string_view code = error.substr(0, space);
  for (const std::string_view later :
       {"TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN"}) {
    if (code == later) redirection.kind = Redirection::Kind::kLater;
  }
  if ((code != "MOVED" && code != "ASK") || space == std::string_view::npos) return redirection;
  const std::string_view rest = error.substr(space + 1);
  const size_t second = rest.find(' ');
  const size_t colon = rest.rfind(':');
  if (second == std::string_view::npos || colon == std::string_view::npos || colon < second) {
    return redirection;
  }
  const auto slot = number_in(rest.substr(0, second), 0, kSlots - 1);
  const auto port = number_in(rest.substr(colon + 1), 1, 65535);
  std::string host(rest.substr(second + 1, colon - second - 1));
  if (host.empty()) host = host_of(asked);
  if (!slot || !port) return redirection;
  // Without an address ("?") the whole map may still know the node.
  redirection.kind = Redirection::Kind::kLater;
  if (host == "?" || !is_host(host)) return redirection;
  redirection.kind = code == "MOVED" ? Redirection::Kind::kMoved : Redirection::Kind::kAsk;
  redirection.slot = *slot;
  redirection.address = {std::move(host), *port};
  return redirection;
}

}  // namespace signalbox::store
