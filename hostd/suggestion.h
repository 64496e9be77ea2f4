// What somebody may have meant by a name that is none.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hostd {

// " (did you mean listen.port?)" with the nearest candidate: one of which `name` is the last part,
// or else one that few letters tell from it. "" when there is none. `prefix`, which both lack, is
// put before the candidate.
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates,
                       const std::string& prefix = "");

}  // namespace hostd
