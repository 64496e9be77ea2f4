#include "engine/net/misread_names.h"

#include <libwebsockets.h>

#include <algorithm>
#include <array>
#include <vector>

namespace signalbox::net {
namespace {

struct Words {
  std::vector<std::string_view> sorted;  // names of headers, without their colons, and "get "
  std::vector<std::string_view> bare;    // "put": those that end without colon or space
  size_t longest = 0;

  Words() {
    for (int token = 0; token < WSI_TOKEN_COUNT; ++token) {
      const auto* text = lws_token_to_string(static_cast<enum lws_token_indexes>(token));
      std::string_view word = text != nullptr ? reinterpret_cast<const char*>(text) : "";
      if (word.empty()) continue;
      if (word.back() == ':') {
        word.remove_suffix(1);
      } else if (word.back() != ' ') {
        bare.push_back(word);
      }
      sorted.push_back(word);
      longest = std::max(longest, word.size());
    }
    std::sort(sorted.begin(), sorted.end());
  }
};

// Longer than any word of libwebsockets.
constexpr size_t kMostCompared = 64;

}  // namespace

std::string_view misread_as(std::string_view name) {
  static const Words words;
  std::array<char, kMostCompared> buffer;
  const size_t size = std::min(name.size(), buffer.size());
  std::transform(name.begin(), name.begin() + static_cast<ptrdiff_t>(size), buffer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view small(buffer.data(), size);
  for (const std::string_view word : words.bare) {
    if (small.starts_with(word)) return word;
  }
  if (size > words.longest) return {};
  // The first that is not less: the name itself, or else one that it may be the beginning of.
  const auto found = std::lower_bound(words.sorted.begin(), words.sorted.end(), small);
  return found != words.sorted.end() && *found != small && found->starts_with(small)
             ? *found
             : std::string_view();
}

}  // namespace signalbox::net
