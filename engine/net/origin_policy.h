// Which web pages may talk to us: the CORS answers and the guard of the WebSocket upgrade (which
// browsers do not put under CORS) read the same list.
//
// Thread: the loop's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

class OriginPolicy {
 public:
  // `allowed` as the option cors.origins has it: "https://example.org" or "*".
  explicit OriginPolicy(std::vector<std::string> allowed);

  // Whether a request with this Origin header, sent to this Host, may be served. No Origin (a
  // program, not a page) and the server's own origin are allowed.
  bool allows(std::string_view origin, std::string_view host) const;

  // The CORS header lines of an answer (Fetch standard, 3.2); of a preflight's answer, which allows
  // the methods `preflight`, if that is not empty.
  std::string headers(std::string_view origin, std::string_view host,
                      std::string_view preflight = {}) const;

 private:
  std::vector<std::string> allowed_;
  bool any_ = false;
};

}  // namespace signalbox::net
