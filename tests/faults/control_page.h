// What the shim and the test tell each other: a file that the shim maps and the test reads and
// writes (control_page.mjs knows the same layout). All numbers are little-endian.
//
// Thread: any; everything is read and written atomically, a word at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace faults {

constexpr size_t kFrames = 14;
constexpr size_t kSites = 8192;
constexpr size_t kModules = 32;
constexpr size_t kModuleName = 64;
constexpr size_t kSpared = 64;

// What a call asks the system for. A rule names several by a mask of 1 << kind.
enum Kind : uint32_t {
  kMemory,      // malloc and its kin
  kReceive,     // of a socket
  kSend,        // of a socket
  kAccept,      // a connection
  kDescriptor,  // any other new descriptor
  kConnect,
  kWatch,  // a change of what an epoll set waits for
};

// Makes calls fail.
struct Rule {
  uint64_t site;      // 0: any
  uint32_t kinds;     // 0: the rule is off
  int32_t error;      // errno; 0: only a part of the bytes is taken or given
  uint32_t skip;      // so many calls are let through first,
  uint32_t period;    // and then every period-th fails
  uint32_t limit;     // but no more than these; 0: any number
  uint32_t chance;    // of a call to fail, in 2^32; 0: certain
  uint64_t random;    // state of the generator for `chance`
  uint64_t seen;      // calls that it fitted
  uint64_t injected;  // and that failed
};

struct Frame {
  uint32_t module;
  uint32_t offset;
};

// A place in the program that asks for something, told from others by the calls that lead to it.
struct Site {
  uint64_t hash;  // 0: free
  uint32_t kind;
  uint32_t calls;
  uint32_t frame_count;
  uint32_t reserved;
  Frame frames[kFrames];
};

struct Page {
  uint64_t magic;  // set by the shim when it is ready
  int64_t live_blocks;
  int64_t live_bytes;
  uint32_t census;  // whether sites are noted
  uint32_t lost;    // sites that found no room
  Rule rule;
  uint64_t spared[kSpared];  // sites at which nothing fails; behind the last of them 0
  char modules[kModules][kModuleName];
  Site sites[kSites];
};

constexpr uint64_t kMagic = 0x73746c7561660001;

}  // namespace faults
