#include "hostd/suggestion.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace hostd {
namespace {

// The number of letters to insert, delete or replace between two names. The library keeps its own
// to itself.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

bool is_last_part(std::string_view name, std::string_view candidate) {
  return candidate.size() > name.size() + 1 && candidate.ends_with(name) &&
         std::string_view("._-").find(candidate[candidate.size() - name.size() - 1]) !=
             std::string_view::npos;
}

}  // namespace

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates,
                       const std::string& prefix) {
  constexpr size_t kFurthest = 4;  // further away, a suggestion would be a guess
  constexpr size_t kLongest = 64;  // no name is; a longer one is not worth the comparison
  if (name.empty() || name.size() > kLongest) return {};
  const std::string* nearest = nullptr;
  size_t distance = std::min(kFurthest + 1, name.size());
  for (const std::string& candidate : candidates) {
    const size_t d = is_last_part(name, candidate) ? 0 : edit_distance(name, candidate);
    if (d >= distance) continue;
    distance = d;
    nearest = &candidate;
  }
  return nearest == nullptr ? "" : " (did you mean " + prefix + *nearest + "?)";
}

}  // namespace hostd
