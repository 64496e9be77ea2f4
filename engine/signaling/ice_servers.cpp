#include "engine/signaling/ice_servers.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "engine/core/base64.h"
#include "engine/core/id.h"
#include "engine/core/json.h"
#include "engine/signaling/time_text.h"
#include "engine/store/commands.h"
#include "engine/store/room_replies.h"

namespace signalbox::signaling {
namespace {

constexpr size_t kUserLength = 12;  // 72 random bits

bool is_turn(std::string_view url) {
  return url.starts_with("turn");
}

}  // namespace

TurnCredentials turn_credentials(std::string_view secret, int64_t expires_s,
                                 std::string_view user) {
  TurnCredentials made = {std::to_string(expires_s).append(1, ':').append(user), {}};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(made.username.data()), made.username.size(),
           digest.data(), &length) == nullptr) {
    throw std::runtime_error("OpenSSL refuses HMAC-SHA1, by which TURN servers know credentials");
  }
  append_base64(made.credential, {reinterpret_cast<const char*>(digest.data()), length});
  return made;
}

Status IceServers::validate(const Options& options) {
  if (!options.turn_secret.empty()) return {};
  for (const std::string& url : options.turn_urls) {
    if (is_turn(url)) {
      return {ErrorCode::kInvalid, "option turn.secret: is needed with " + url + " in turn.urls"};
    }
  }
  return {};
}

void IceServers::ask(std::string_view who, std::function<void(const Answer& answer)> done) {
  // There is nothing to protect.
  if (options_.turn_urls.empty()) return done({Result::kGiven, json()});
  limits_.ask({limits_.of(store::Limited::kIce, who)}, true,
              [this, done = std::move(done)](const store::Reply& reply) {
                Answer answer;
                if (store::refused(reply, answer.refusal)) {
                  answer.result = Result::kLimited;
                } else if (store::outcome(reply) == "passed") {
                  answer = {Result::kGiven, json()};
                }
                done(answer);
              });
}

std::string IceServers::json() const {
  std::string stun;
  std::string turn;
  for (const std::string& url : options_.turn_urls) {
    std::string& urls = is_turn(url) ? turn : stun;
    if (!urls.empty()) urls += ',';
    json::append_string(urls, url);
  }
  std::string text = R"({"iceServers":[)";
  if (!stun.empty()) text += R"({"urls":[)" + stun + "]}";
  if (!turn.empty()) {
    const TurnCredentials made = turn_credentials(
        options_.turn_secret, static_cast<int64_t>(system_now_s()) + options_.turn_ttl,
        random_id(kUserLength));
    if (!stun.empty()) text += ',';
    text += R"({"urls":[)" + turn + R"(],"username":")" + made.username + R"(","credential":")" +
            made.credential + R"("})";
  }
  return text + R"(],"ttl":)" + std::to_string(options_.turn_ttl) + '}';
}

}  // namespace signalbox::signaling
