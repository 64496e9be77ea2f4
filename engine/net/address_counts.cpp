#include "engine/net/address_counts.h"

namespace signalbox::net {

bool AddressCounts::add(const Address& address, size_t limit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  size_t& count = counts_[address.limit_network()];
  if (limit != 0 && count >= limit) return false;  // above 0, so that no empty entry stays
  ++count;
  return true;
}

void AddressCounts::remove(const Address& address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = counts_.find(address.limit_network());
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

size_t AddressCounts::count(const Address& address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = counts_.find(address.limit_network());
  return found != counts_.end() ? found->second : 0;
}

}  // namespace signalbox::net
