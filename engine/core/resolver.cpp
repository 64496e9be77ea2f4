#include "engine/core/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <uv.h>

#include <memory>
#include <utility>

namespace signalbox {

// Outlives its resolver when that forgets it; libuv hands it back in the end.
struct Resolver::Request {
  uv_getaddrinfo_t uv;
  Loop& loop;
  Resolver* resolver;  // null: forgotten
  Callback callback;

  void finish(std::vector<std::string> addresses, int status) {
    if (resolver == nullptr) return;
    resolver->request_ = nullptr;
    std::string error;
    if (addresses.empty()) error = status != 0 ? uv_strerror(status) : "the name has no address";
    callback(std::move(addresses), error);
  }
};

namespace {

std::vector<std::string> to_numeric(const addrinfo* found) {
  std::vector<std::string> addresses;
  for (; found != nullptr; found = found->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

}  // namespace

bool is_numeric_address(const std::string& host) {
  in6_addr ignored;
  // An IPv6 address may name its interface behind a '%'.
  const std::string without_scope = host.substr(0, host.find('%'));
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, without_scope.c_str(), &ignored) == 1;
}

void Resolver::resolve(const std::string& host, Callback callback) {
  forget();
  request_ = new Request{{}, loop_, this, std::move(callback)};
  request_->uv.data = request_;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  const auto resolved = [](uv_getaddrinfo_t* uv, int status, addrinfo* found) {
    const std::unique_ptr<Request> request(static_cast<Request*>(uv->data));
    std::vector<std::string> addresses;
    request->loop.guard([&] { addresses = to_numeric(found); });
    uv_freeaddrinfo(found);
    request->loop.guard([&] { request->finish(std::move(addresses), status); });
  };
  auto* loop = static_cast<uv_loop_t*>(loop_.native());
  const int rc = uv_getaddrinfo(loop, &request_->uv, resolved, host.c_str(), nullptr, &hints);
  if (rc == 0) return;
  // Refused before it began: a malformed name, or no memory.
  const std::shared_ptr<Request> request(request_);
  loop_.post([request, rc] { request->finish({}, rc); });
}

void Resolver::forget() {
  if (request_ == nullptr) return;
  request_->resolver = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&request_->uv));
  request_ = nullptr;
}

}  // namespace signalbox
