#include "engine/net/request_headers.h"

#include <libwebsockets.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/core/http_token.h"
#include "engine/net/lws_request.h"
#include "engine/net/misread_names.h"

namespace signalbox::net {
namespace {

// A header's lines joined to one (RFC 9110, 5.3; cookies: RFC 6265, 5.4). Nothing: there is none.
std::optional<std::string> joined(struct lws* wsi, int token) {
  std::optional<std::string> all;
  for (int i = 0;; ++i) {
    const auto line = header_fragment(wsi, static_cast<enum lws_token_indexes>(token), i);
    if (!line) return all;
    const std::string_view value = without_ows(*line);
    if (!all) all.emplace();
    if (!all->empty() && !value.empty()) *all += token == WSI_TOKEN_HTTP_COOKIE ? "; " : ", ";
    *all += value;
  }
}

}  // namespace

RequestHeaders::RequestHeaders() {
  for (int token = 0; token < WSI_TOKEN_COUNT; ++token) {
    const auto* text = lws_token_to_string(static_cast<enum lws_token_indexes>(token));
    std::string_view word = text != nullptr ? reinterpret_cast<const char*>(text) : "";
    // The others are methods, versions, and HTTP/2's pseudo-headers, which begin with a colon.
    if (!word.ends_with(':') || word.starts_with(':')) continue;
    word.remove_suffix(1);
    known_.push_back({token, std::string(word)});
  }
}

Status RequestHeaders::add(const std::vector<std::string>& names) {
  for (std::string name : names) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool is_known = std::any_of(known_.begin(), known_.end(),
                                      [&](const Known& known) { return known.name == name; });
    if (is_known) continue;
    if (const std::string_view word = misread_as(name); !word.empty()) {
      return Status(ErrorCode::kInvalid, "option http.headers: '" + name +
                                             "' is not allowed; libwebsockets takes it for '" +
                                             std::string(word) + "'");
    }
    name += ':';
    if (std::find(added_.begin(), added_.end(), name) == added_.end()) {
      added_.push_back(std::move(name));
    }
  }
  return {};
}

Fields RequestHeaders::read(struct lws* wsi) const {
  Fields headers;
  for (const Known& known : known_) {
    if (auto value = joined(wsi, known.token)) headers.emplace_back(known.name, std::move(*value));
  }
  for (const std::string& name : added_) {
    if (auto value = custom_header(wsi, name.c_str())) {
      headers.emplace_back(name.substr(0, name.size() - 1), std::string(without_ows(*value)));
    }
  }
  return headers;
}

}  // namespace signalbox::net
