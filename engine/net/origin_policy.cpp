#include "engine/net/origin_policy.h"

#include <algorithm>
#include <utility>

namespace signalbox::net {
namespace {

std::string_view authority(std::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

// An Origin goes back into a header of ours: nothing but visible ASCII may.
bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

OriginPolicy::OriginPolicy(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {
  for (std::string& origin : allowed_) {
    if (origin == "*") any_ = true;
    if (origin.ends_with('/')) origin.pop_back();  // people write it, browsers do not send it
  }
}

bool OriginPolicy::allows(std::string_view origin, std::string_view host) const {
  if (origin.empty()) return true;
  if (!printable(origin)) return false;
  if (any_) return true;
  if (!host.empty() && authority(origin) == host) return true;
  return std::find(allowed_.begin(), allowed_.end(), origin) != allowed_.end();
}

std::string OriginPolicy::headers(std::string_view origin, std::string_view host,
                                  std::string_view preflight) const {
  std::string out;
  if (any_) {
    // A wildcard does not go together with credentials.
    out += "Access-Control-Allow-Origin: *\r\n";
  } else {
    if (!origin.empty() && allows(origin, host)) {
      out += "Access-Control-Allow-Origin: ";
      out += origin;
      out += "\r\n";
    }
    out += "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n";
  }
  if (!preflight.empty()) {
    out += "Access-Control-Allow-Methods: ";
    out += preflight;
    out += "\r\nAccess-Control-Allow-Headers: Content-Type, Authorization\r\n";
  }
  return out;
}

}  // namespace signalbox::net
