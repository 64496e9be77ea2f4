#include "engine/signaling/request_values.h"

#include <strings.h>

#include <charconv>
#include <cmath>

#include "engine/signaling/time_text.h"

namespace signalbox::signaling {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr size_t kMaxLoggedLength = 4096;

}  // namespace

bool says_json(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  return content_type.size() >= kJson.size() &&
         strncasecmp(content_type.data(), kJson.data(), kJson.size()) == 0 &&
         (content_type.size() == kJson.size() || content_type[kJson.size()] == ';' ||
          content_type[kJson.size()] == ' ');
}

std::string_view object_of(const net::Request& request) {
  return says_json(request.content_type) && !request.body.empty()
             ? json::scan_document(request.body).text
             : std::string_view("{}");
}

std::optional<std::string_view> bearer_token(const net::Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  for (const auto& [name, value] : request.headers) {
    if (name != "authorization" || value.size() <= kScheme.size() ||
        strncasecmp(value.data(), kScheme.data(), kScheme.size()) != 0) {
      continue;
    }
    return std::string_view(value).substr(kScheme.size());
  }
  return std::nullopt;
}

std::optional<int64_t> time_of(const json::Value& timestamp) {
  if (timestamp.type == json::Type::kNumber) {
    double ms = 0;
    const char* end = timestamp.text.data() + timestamp.text.size();
    const auto parsed = std::from_chars(timestamp.text.data(), end, ms);
    if (parsed.ec != std::errc() || !expressible(ms)) return std::nullopt;
    return static_cast<int64_t>(std::floor(ms));
  }
  std::string text;
  if (!json::decode_string(timestamp.text, text)) return std::nullopt;
  return parse_iso(text);
}

bool is_about_now(int64_t ms) {
  const int64_t now_ms = system_now_ms();
  for (const int64_t day : {-kDayMs, int64_t{0}, kDayMs}) {
    if (day_text(now_ms + day) == day_text(ms)) return true;
  }
  return false;
}

std::string display(const json::Value& value) {
  std::string text;
  if (!value.present()) return "undefined";
  if (!json::decode_string(value.text, text)) text = value.text;
  if (text.size() > kMaxLoggedLength) {
    text.resize(kMaxLoggedLength);
    text += "...";
  }
  return text;
}

}  // namespace signalbox::signaling
