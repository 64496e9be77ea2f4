// Which master of a Redis Cluster has which key: the hash slot of a key, the map of the slots, and
// the error replies by which a node corrects that map.
//
// Thread: values and functions without state; no sharing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::store {

struct Reply;

constexpr int kSlots = 16384;

// The slot of a key: CRC16 of it, or of what is between its first '{' and the next '}' when that is
// not empty.
int key_slot(std::string_view key);

struct ClusterAddress {
  std::string host;  // a name or an address; of a unix socket (the seed may be one) its path
  int port = 0;      // of a unix socket 0
  auto operator<=>(const ClusterAddress&) const = default;
};

class SlotMap {
 public:
  // Reads the reply to CLUSTER SLOTS. `asked` gave it: its host stands for those it left out.
  // Nothing when this is no map, or an empty one (of a node that is in no cluster yet).
  static std::optional<SlotMap> read(const Reply& reply, const ClusterAddress& asked);

  // The master of a slot; null when none is known. Valid until the map changes.
  const ClusterAddress* owner(int slot) const;
  void set_owner(int slot, const ClusterAddress& address);
  // Whether each slot has an owner.
  bool complete() const { return unowned_ == 0; }

  // Those that own slots.
  std::set<ClusterAddress> masters() const;
  // All that were named: masters and replicas.
  const std::vector<ClusterAddress>& nodes() const { return nodes_; }

 private:
  uint16_t index_of(const ClusterAddress& address);
  void assign(size_t slot, uint16_t index);

  static constexpr uint16_t kNone = UINT16_MAX;
  std::vector<ClusterAddress> nodes_;
  std::vector<int> counts_;  // how many slots each of them has
  std::vector<uint16_t> owners_ = std::vector<uint16_t>(kSlots, kNone);  // indices of nodes_
  int unowned_ = kSlots;
};

// What an error reply of a node says about where, or when, a command would succeed. None of these
// commands has been executed.
struct Redirection {
  enum class Kind {
    kNone,   // any other error
    kMoved,  // the slot belongs to `address`
    kAsk,    // the slot is being moved to `address`; this one command belongs there already
    kLater,  // not now
  };
  Kind kind = Kind::kNone;
  int slot = 0;            // kMoved, kAsk
  ClusterAddress address;  // kMoved, kAsk
};

// `asked` gave the error: its host stands for one that was left out.
Redirection read_redirection(std::string_view error, const ClusterAddress& asked);

}  // namespace signalbox::store
