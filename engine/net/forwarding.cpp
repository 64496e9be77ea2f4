#include "engine/net/forwarding.h"

#include <exception>
#include <utility>

#include "engine/net/server.h"

namespace signalbox::net {
namespace {

// Takes one answer back to where the client is. Dropped without one, it takes a 503.
class WayBack {
 public:
  WayBack(std::shared_ptr<PortGroup> group, size_t place, std::weak_ptr<HttpExchange> exchange)
      : group_(std::move(group)), place_(place), exchange_(std::move(exchange)) {}
  ~WayBack() {
    if (taken_) return;
    try {
      take({.status = 503, .body = R"({"error":"The server is shutting down"})", .close = true});
    } catch (const std::exception&) {  // no memory: the client gives up by itself
    }
  }
  WayBack(const WayBack&) = delete;
  WayBack& operator=(const WayBack&) = delete;

  void take(Response response) {
    taken_ = true;
    group_->post(place_, [exchange = exchange_, response = std::move(response)](Server&) {
      if (const auto waiting = exchange.lock()) waiting->respond(response);
    });
  }

 private:
  std::shared_ptr<PortGroup> group_;
  size_t place_;
  std::weak_ptr<HttpExchange> exchange_;
  bool taken_ = false;
};

}  // namespace

bool forward(const std::shared_ptr<PortGroup>& group, size_t here, size_t there,
             const std::shared_ptr<HttpExchange>& exchange) {
  auto way_back = std::make_shared<WayBack>(group, here, exchange);
  auto remote = std::make_shared<HttpExchange>(
      exchange->request(),
      [way_back = std::move(way_back)](Response response) { way_back->take(std::move(response)); });
  const std::weak_ptr<HttpExchange> gone = remote;
  const bool posted = group->post(
      there, [remote = std::move(remote)](Server& server) { server.take_over(remote); });
  if (!posted) return false;
  exchange->set_on_abort([group, there, gone] {
    group->post(there, [gone](Server&) {
      if (const auto abandoned = gone.lock()) abandoned->client_left();
    });
  });
  return true;
}

}  // namespace signalbox::net
