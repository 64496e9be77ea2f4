// Loaded with LD_PRELOAD: lets calls to the system fail as the control page says, notes where they
// come from, and counts the memory that is in use. FAULTS_PAGE names the file of the page.
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tests/faults/control_page.h"

namespace faults {
namespace {

Page* page = nullptr;
void* own_map = nullptr;  // where this library lies
std::atomic<int64_t> live_blocks = 0;
std::atomic<int64_t> live_bytes = 0;
std::atomic_flag noting = ATOMIC_FLAG_INIT;
// Looking at the stack may allocate, and must not look at the stack.
[[gnu::tls_model("initial-exec")]] thread_local bool inside = false;

constexpr size_t kArenaBytes = 65536;
alignas(16) char arena[kArenaBytes];  // for what the search for the real functions itself allocates
std::atomic<size_t> arena_used = 0;

bool in_arena(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  const auto begin = reinterpret_cast<uintptr_t>(arena);
  return address >= begin && address < begin + kArenaBytes;
}

template <typename T>
T load(const T& value) {
  return __atomic_load_n(&value, __ATOMIC_RELAXED);
}

template <typename T>
T add(T& value, T more) {
  return __atomic_add_fetch(&value, more, __ATOMIC_RELAXED);
}

// The next definition of a function, which is the real one.
template <typename Function>
class Real {
 public:
  explicit constexpr Real(const char* name) : name_(name) {}
  Function* get() {
    Function* found = found_.load(std::memory_order_relaxed);
    if (found != nullptr) return found;
    const bool was_inside = std::exchange(inside, true);
    found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
    inside = was_inside;
    found_.store(found, std::memory_order_relaxed);
    return found;
  }

 private:
  const char* name_;
  std::atomic<Function*> found_ = nullptr;
};

#define FAULTS_REAL(name) static constinit Real<decltype(::name)> real_##name(#name)

struct Stack {
  Frame frames[kFrames];
  uint32_t count = 0;
  uint64_t hash = 0xcbf29ce484222325;
};

uint32_t module_of(const char* path) {
  const char* slash = strrchr(path, '/');
  const char* name = slash != nullptr ? slash + 1 : path;
  if (*name == '\0') name = "program";
  for (uint32_t i = 0; i < kModules; ++i) {
    char* slot = page->modules[i];
    if (*slot == '\0')
      strncpy(slot, name, kModuleName - 1);  // two threads write the same or lose one
    if (strncmp(slot, name, kModuleName - 1) == 0) return i;
  }
  return kModules - 1;
}

// Addresses are made relative to their module, so that a site has one name in every run.
_Unwind_Reason_Code visit(_Unwind_Context* context, void* argument) {
  auto& stack = *static_cast<Stack*>(argument);
  const uintptr_t address = _Unwind_GetIP(context);
  dl_find_object found;
  if (address == 0 || _dl_find_object(reinterpret_cast<void*>(address), &found) != 0)
    return _URC_END_OF_STACK;
  if (found.dlfo_map_start == own_map) return _URC_NO_REASON;
  const uintptr_t offset = address - found.dlfo_link_map->l_addr;
  const uint32_t module = module_of(found.dlfo_link_map->l_name);
  stack.frames[stack.count++] = {module, static_cast<uint32_t>(offset)};
  for (const char* name = page->modules[module]; *name != '\0'; ++name) {
    stack.hash = (stack.hash ^ static_cast<unsigned char>(*name)) * 0x100000001b3;
  }
  stack.hash = (stack.hash ^ offset) * 0x100000001b3;
  return stack.count < kFrames ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void note(const Stack& stack, Kind kind) {
  while (noting.test_and_set(std::memory_order_acquire)) {
  }
  size_t at = stack.hash % kSites;
  for (size_t tries = 0; tries < kSites; ++tries, at = (at + 1) % kSites) {
    Site& site = page->sites[at];
    if (site.hash == 0) {
      std::copy(stack.frames, stack.frames + stack.count, site.frames);
      site.frame_count = stack.count;
      site.kind = kind;
      site.hash = stack.hash;
    }
    if (site.hash == stack.hash) {
      add(site.calls, 1U);
      noting.clear(std::memory_order_release);
      return;
    }
  }
  add(page->lost, 1U);
  noting.clear(std::memory_order_release);
}

bool by_chance(Rule& rule) {
  const uint32_t chance = load(rule.chance);
  if (chance == 0) return true;
  uint64_t word = add(rule.random, uint64_t{0x9e3779b97f4a7c15});
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return static_cast<uint32_t>(word >> 32) < chance;
}

bool fires(Rule& rule) {
  const uint64_t seen = add(rule.seen, uint64_t{1});
  const uint64_t skip = load(rule.skip);
  const uint64_t period = std::max(load(rule.period), 1U);
  if (seen <= skip || (seen - skip - 1) % period != 0 || !by_chance(rule)) return false;
  const uint32_t limit = load(rule.limit);
  const uint64_t injected = add(rule.injected, uint64_t{1});
  if (limit == 0 || injected <= limit) return true;
  add(rule.injected, ~uint64_t{0});
  return false;
}

bool is_spared(uint64_t hash) {
  for (const uint64_t& spared : page->spared) {
    if (load(spared) == 0) return false;
    if (load(spared) == hash) return true;
  }
  return false;
}

constexpr int kGoOn = -1;

// Whether this call is to fail: kGoOn, an errno, or 0 for a part.
[[gnu::noinline]] int verdict(Kind kind) {
  if (page == nullptr || inside) return kGoOn;
  const bool census = load(page->census) != 0;
  Rule& rule = page->rule;
  const bool fits = (load(rule.kinds) & (1U << kind)) != 0;
  if (!fits && !census) return kGoOn;
  inside = true;
  Stack stack;
  stack.hash = (stack.hash ^ kind) * 0x100000001b3;
  const uint64_t site = load(rule.site);
  if (census || site != 0 || load(page->spared[0]) != 0) _Unwind_Backtrace(visit, &stack);
  if (census) note(stack, kind);
  int result = kGoOn;
  if (fits && (site == 0 || site == stack.hash) && !is_spared(stack.hash) && fires(rule)) {
    result = load(rule.error);
  }
  inside = false;
  return result;
}

bool fails(Kind kind) {
  const int error = verdict(kind);
  if (error == kGoOn) return false;
  errno = error;
  return true;
}

void count(const void* block, int64_t sign) {
  if (block == nullptr) return;
  const int64_t bytes = sign * static_cast<int64_t>(malloc_usable_size(const_cast<void*>(block)));
  const int64_t blocks_now = live_blocks += sign;
  const int64_t bytes_now = live_bytes += bytes;
  if (page == nullptr) return;
  __atomic_store_n(&page->live_blocks, blocks_now, __ATOMIC_RELAXED);
  __atomic_store_n(&page->live_bytes, bytes_now, __ATOMIC_RELAXED);
}

void* counted(void* block) {
  count(block, 1);
  return block;
}

bool is_socket(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

// Of a transfer: makes it fail, or cuts `length` down.
bool transfer_fails(int fd, Kind kind, size_t& length) {
  if (page == nullptr || length == 0 || !is_socket(fd)) return false;
  const int error = verdict(kind);
  if (error == kGoOn) return false;
  if (error == 0) {
    constexpr size_t kSmall = 64;
    length = kind == kSend && length > kSmall ? length / 2 : 1;
    return false;
  }
  errno = error;
  return true;
}

// Vectors are cut to a part of their first piece that has any.
bool vector_fails(int fd, Kind kind, const iovec* vector, size_t count, iovec& part, bool& cut) {
  size_t whole = 0;
  const iovec* first = nullptr;
  for (size_t i = 0; i < count; ++i) {
    whole += vector[i].iov_len;
    if (first == nullptr && vector[i].iov_len > 0) first = &vector[i];
  }
  size_t length = whole;
  if (transfer_fails(fd, kind, length)) return true;
  cut = length != whole;
  if (cut) part = {first->iov_base, std::min(length, first->iov_len)};
  return false;
}

[[gnu::constructor]] void begin() {
  const char* path = getenv("FAULTS_PAGE");
  const int fd = path != nullptr ? ::open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* mapped = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (mapped == MAP_FAILED) return;
  dl_find_object self;
  if (_dl_find_object(reinterpret_cast<void*>(&begin), &self) == 0) own_map = self.dlfo_map_start;
  page = static_cast<Page*>(mapped);
  page->magic = kMagic;
}

}  // namespace
}  // namespace faults

using namespace faults;

extern "C" {

void* malloc(size_t size) {
  FAULTS_REAL(malloc);
  if (inside) {
    // The search below, or the look at the stack.
    const size_t at = arena_used += (size + 15) / 16 * 16;
    return at <= kArenaBytes ? arena + at - (size + 15) / 16 * 16 : nullptr;
  }
  if (fails(kMemory)) return nullptr;
  return counted(real_malloc.get()(size));
}

void* calloc(size_t count, size_t size) {
  FAULTS_REAL(calloc);
  if (inside) return malloc(count * size);  // the arena is zero
  if (fails(kMemory)) return nullptr;
  return counted(real_calloc.get()(count, size));
}

void* realloc(void* block, size_t size) {
  FAULTS_REAL(realloc);
  if (in_arena(block)) {
    void* moved = malloc(size);
    if (moved != nullptr) memcpy(moved, block, std::min<size_t>(size, 4096));
    return moved;
  }
  if (inside && block == nullptr) return malloc(size);
  if (size != 0 && fails(kMemory)) return nullptr;
  count(block, -1);
  void* moved = real_realloc.get()(block, size);
  if (moved == nullptr && size != 0) count(block, 1);
  return counted(moved);
}

void free(void* block) {
  FAULTS_REAL(free);
  if (block == nullptr || in_arena(block)) return;
  count(block, -1);
  real_free.get()(block);
}

int posix_memalign(void** block, size_t alignment, size_t size) {
  FAULTS_REAL(posix_memalign);
  if (fails(kMemory)) return ENOMEM;
  const int result = real_posix_memalign.get()(block, alignment, size);
  if (result == 0) count(*block, 1);
  return result;
}

void* aligned_alloc(size_t alignment, size_t size) {
  FAULTS_REAL(aligned_alloc);
  if (fails(kMemory)) return nullptr;
  return counted(real_aligned_alloc.get()(alignment, size));
}

ssize_t read(int fd, void* buffer, size_t length) {
  FAULTS_REAL(read);
  if (transfer_fails(fd, kReceive, length)) return -1;
  return real_read.get()(fd, buffer, length);
}

ssize_t recv(int fd, void* buffer, size_t length, int flags) {
  FAULTS_REAL(recv);
  if (transfer_fails(fd, kReceive, length)) return -1;
  return real_recv.get()(fd, buffer, length, flags);
}

ssize_t recvfrom(int fd, void* buffer, size_t length, int flags, sockaddr* from, socklen_t* size) {
  FAULTS_REAL(recvfrom);
  if (transfer_fails(fd, kReceive, length)) return -1;
  return real_recvfrom.get()(fd, buffer, length, flags, from, size);
}

ssize_t readv(int fd, const iovec* vector, int count) {
  FAULTS_REAL(readv);
  iovec part;
  bool cut = false;
  if (vector_fails(fd, kReceive, vector, static_cast<size_t>(count), part, cut)) return -1;
  return cut ? real_readv.get()(fd, &part, 1) : real_readv.get()(fd, vector, count);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  FAULTS_REAL(recvmsg);
  iovec part;
  bool cut = false;
  if (vector_fails(fd, kReceive, message->msg_iov, message->msg_iovlen, part, cut)) return -1;
  if (!cut) return real_recvmsg.get()(fd, message, flags);
  msghdr less = *message;
  less.msg_iov = &part;
  less.msg_iovlen = 1;
  const ssize_t received = real_recvmsg.get()(fd, &less, flags);
  message->msg_namelen = less.msg_namelen;
  message->msg_controllen = less.msg_controllen;
  message->msg_flags = less.msg_flags;
  return received;
}

ssize_t write(int fd, const void* buffer, size_t length) {
  FAULTS_REAL(write);
  if (transfer_fails(fd, kSend, length)) return -1;
  return real_write.get()(fd, buffer, length);
}

ssize_t send(int fd, const void* buffer, size_t length, int flags) {
  FAULTS_REAL(send);
  if (transfer_fails(fd, kSend, length)) return -1;
  return real_send.get()(fd, buffer, length, flags);
}

ssize_t sendto(int fd, const void* buffer, size_t length, int flags, const sockaddr* to,
               socklen_t size) {
  FAULTS_REAL(sendto);
  if (transfer_fails(fd, kSend, length)) return -1;
  return real_sendto.get()(fd, buffer, length, flags, to, size);
}

ssize_t writev(int fd, const iovec* vector, int count) {
  FAULTS_REAL(writev);
  iovec part;
  bool cut = false;
  if (vector_fails(fd, kSend, vector, static_cast<size_t>(count), part, cut)) return -1;
  return cut ? real_writev.get()(fd, &part, 1) : real_writev.get()(fd, vector, count);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  FAULTS_REAL(sendmsg);
  iovec part;
  bool cut = false;
  if (vector_fails(fd, kSend, message->msg_iov, message->msg_iovlen, part, cut)) return -1;
  if (!cut) return real_sendmsg.get()(fd, message, flags);
  msghdr less = *message;
  less.msg_iov = &part;
  less.msg_iovlen = 1;
  return real_sendmsg.get()(fd, &less, flags);
}

int accept(int fd, sockaddr* address, socklen_t* size) {
  FAULTS_REAL(accept);
  return fails(kAccept) ? -1 : real_accept.get()(fd, address, size);
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  FAULTS_REAL(accept4);
  return fails(kAccept) ? -1 : real_accept4.get()(fd, address, size, flags);
}

int socket(int domain, int type, int protocol) {
  FAULTS_REAL(socket);
  return fails(kDescriptor) ? -1 : real_socket.get()(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int pair[2]) {
  FAULTS_REAL(socketpair);
  return fails(kDescriptor) ? -1 : real_socketpair.get()(domain, type, protocol, pair);
}

int pipe2(int pair[2], int flags) {
  FAULTS_REAL(pipe2);
  return fails(kDescriptor) ? -1 : real_pipe2.get()(pair, flags);
}

int eventfd(unsigned value, int flags) {
  FAULTS_REAL(eventfd);
  return fails(kDescriptor) ? -1 : real_eventfd.get()(value, flags);
}

int epoll_create1(int flags) {
  FAULTS_REAL(epoll_create1);
  return fails(kDescriptor) ? -1 : real_epoll_create1.get()(flags);
}

int open(const char* path, int flags, ...) {
  FAULTS_REAL(open);
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails(kDescriptor) ? -1 : real_open.get()(path, flags, mode);
}

int dup(int fd) {
  FAULTS_REAL(dup);
  return fails(kDescriptor) ? -1 : real_dup.get()(fd);
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  FAULTS_REAL(connect);
  return fails(kConnect) ? -1 : real_connect.get()(fd, address, size);
}

int epoll_ctl(int set, int change, int fd, epoll_event* event) {
  FAULTS_REAL(epoll_ctl);
  if (change != EPOLL_CTL_DEL && fails(kWatch)) return -1;
  return real_epoll_ctl.get()(set, change, fd, event);
}

}  // extern "C"
