// What is kept for one client, as a part of what is kept for all clients of a port group: messages
// that it has yet to read, parts of messages that it has yet to complete, and bodies of requests
// that it has yet to complete or are yet to be answered. All of it has a limit of its own, since
// many clients that are slow, each within its limits, are more than a process can hold.
//
// Thread: its owner's.
// Owner: what keeps the bytes.
#pragma once

#include <cstddef>
#include <utility>

#include "engine/net/port_group.h"

namespace signalbox::net {

class KeptBytes {
 public:
  KeptBytes() = default;
  ~KeptBytes() {
    if (group_ != nullptr) group_->change_kept(bytes_, 0);
  }
  KeptBytes(const KeptBytes&) = delete;
  KeptBytes& operator=(const KeptBytes&) = delete;

  // There are so many now. `group` is the same in each call, and outlives this.
  void set(PortGroup& group, size_t bytes) {
    if (bytes == bytes_) return;
    group_ = &group;
    group.change_kept(std::exchange(bytes_, bytes), bytes);
  }
  size_t get() const { return bytes_; }

 private:
  PortGroup* group_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace signalbox::net
