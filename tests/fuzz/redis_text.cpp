#include "tests/fuzz/redis_text.h"

#include <charconv>
#include <string>

namespace fuzz {
namespace {

using signalbox::store::Reply;

constexpr unsigned kMaxDepth = 8;

Reply word_reply(std::string_view word) {
  Reply reply;
  reply.type = Reply::Type::kText;
  if (word.starts_with('\'')) {
    reply.text = word.substr(1);
    return reply;
  }
  if (word == "!") reply.type = Reply::Type::kUnavailable;
  if (word == "~") reply.type = Reply::Type::kNil;
  if (reply.type != Reply::Type::kText) return reply;
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, reply.integer);
  if (error == std::errc() && stop == end) {
    reply.type = Reply::Type::kInteger;
  } else {
    reply.text = word;
  }
  return reply;
}

}  // namespace

Reply take_reply(std::string_view& rest, unsigned depth) {
  Reply reply;
  if (depth == 0 && rest.starts_with('-')) {
    reply.type = Reply::Type::kError;
    reply.text = rest.substr(1);
    rest = {};
    return reply;
  }
  if (!rest.starts_with('(') || depth == kMaxDepth) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" ()", 1));
    rest.remove_prefix(word.size());
    return word_reply(word);
  }
  reply.type = Reply::Type::kArray;
  rest.remove_prefix(1);
  while (!rest.empty()) {
    if (rest.front() == ' ') {
      rest.remove_prefix(1);
    } else if (rest.front() == ')') {
      rest.remove_prefix(1);
      break;
    } else {
      reply.elements.push_back(take_reply(rest, depth + 1));
    }
  }
  return reply;
}

}  // namespace fuzz
