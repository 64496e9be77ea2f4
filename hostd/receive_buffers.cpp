#include "hostd/receive_buffers.h"

#include <libwebsockets.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

namespace hostd {
namespace {

size_t most_buffers() {
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return 0;
  return descriptors.rlim_cur;
}

// Buffers of the size that is asked for first, in one mapping, and behind them the list of those
// that are free: written into the buffers themselves it would touch them.
class Buffers {
 public:
  bool has(const void* buffer) const {
    return reinterpret_cast<uintptr_t>(buffer) - begin_ < length_;
  }

  size_t size() const { return size_; }

  // Null when all are taken, or `size` is another one.
  void* take(size_t size) {
    const std::lock_guard lock(mutex_);
    if (!asked_) map(size);
    asked_ = true;
    if (size > size_) return nullptr;
    size_t index = used_;
    if (free_count_ != 0) {
      index = free_[--free_count_];
    } else if (used_ < most_) {
      ++used_;
    } else {
      return nullptr;
    }
    return reinterpret_cast<void*>(begin_ + index * size_);
  }

  void give_back(const void* buffer) {
    const std::lock_guard lock(mutex_);
    const size_t index = (reinterpret_cast<uintptr_t>(buffer) - begin_) / size_;
    free_[free_count_++] = static_cast<uint32_t>(index);
  }

 private:
  void map(size_t size) {
    const size_t most = most_buffers();
    size = (size + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
    const size_t length = most * size;
    const size_t all = length + most * sizeof(uint32_t);
    void* mapped = mmap(nullptr, all, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return;
    madvise(mapped, all, MADV_NOHUGEPAGE);  // touching one must not take the memory of a thousand
    most_ = most;
    size_ = size;
    begin_ = reinterpret_cast<uintptr_t>(mapped);
    free_ = reinterpret_cast<uint32_t*>(begin_ + length);
    length_ = length;
  }

  // Written once, before the first buffer is taken.
  std::atomic<uintptr_t> begin_ = 0;
  std::atomic<size_t> length_ = 0;
  std::mutex mutex_;  // guards what follows
  bool asked_ = false;
  size_t size_ = 0;
  size_t most_ = 0;
  size_t used_ = 0;  // the first so many have been taken at least once
  uint32_t* free_ = nullptr;
  size_t free_count_ = 0;
};

constinit Buffers receive_buffers;

// As realloc(), but that `size` 0 frees.
void* reallocate(void* old, size_t size, const char* reason) {
  if (old == nullptr && size != 0 && std::string_view(reason) == "rx_ubuf") {
    if (void* buffer = receive_buffers.take(size)) return buffer;
  }
  if (!receive_buffers.has(old)) {
    if (size != 0) return std::realloc(old, size);
    std::free(old);
    return nullptr;
  }
  void* moved = nullptr;
  if (size != 0) {
    moved = std::malloc(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, old, std::min(size, receive_buffers.size()));
  }
  receive_buffers.give_back(old);
  return moved;
}

}  // namespace

void separate_receive_buffers() {
  lws_set_allocator(reallocate);
}

}  // namespace hostd
