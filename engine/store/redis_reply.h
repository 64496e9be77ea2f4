// A reply of Redis, as far as our commands need it.
//
// Thread: a value; no sharing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace signalbox::store {

struct Reply {
  enum class Type { kNil, kInteger, kText, kArray, kError, kUnavailable };
  Type type = Type::kUnavailable;
  int64_t integer = 0;
  std::string text;  // kText; the message of kError and kUnavailable
  std::vector<Reply> elements;
};

}  // namespace signalbox::store
