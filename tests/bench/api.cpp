#include "tests/bench/api.h"

#include <algorithm>
#include <utility>

#include "tests/bench/http.h"

namespace bench {

// One connection, with one request at a time.
class Api::Line final : private Connection::Listener {
 public:
  Line(Api& api) : api_(api), connection_(api.world_.reactor, *this) {}

  void post(std::string request, Answered answered) {
    request_ = std::move(request);
    answered_ = std::move(answered);
    used_ = !connection_.closed();
    if (!used_) connection_.open(api_.world_.route());
    connection_.send(request_);
  }

 private:
  void on_open(Connection&) override {}

  size_t on_bytes(Connection& connection, std::string_view bytes) override {
    const auto response = parse_response(bytes);
    if (!response) return 0;
    if (response->last || !answered_) connection.close();
    const Answered answered = std::exchange(answered_, nullptr);
    if (answered) answered(response->status, response->body);
    if (connection.closed()) {
      api_.drop(*this);
    } else {
      api_.keep(*this);
    }
    return response->size;
  }

  void on_end(Connection&, int) override {
    if (answered_ && std::exchange(used_, false)) {
      // It had been open for so long that the server closed it just now.
      connection_.open(api_.world_.route());
      connection_.send(request_);
      return;
    }
    if (const Answered answered = std::exchange(answered_, nullptr)) answered(0, {});
    api_.drop(*this);
  }

  Api& api_;
  Connection connection_;
  std::string request_;
  Answered answered_;
  bool used_ = false;  // for a request before this one
};

Api::Api(World& world) : world_(world) {}

Api::~Api() = default;

void Api::post(std::string_view path, std::string_view address, std::string_view body,
               Answered answered) {
  if (free_.empty()) {
    lines_.push_back(std::make_unique<Line>(*this));
    free_.push_back(lines_.back().get());
  }
  Line& line = *free_.back();
  free_.pop_back();
  line.post(post_request(path, address, "application/json", body), std::move(answered));
}

void Api::create_room(std::string_view room, std::string_view address,
                      std::function<void(bool created, int status)> answered) {
  post("/api/create_room", address, R"({"roomId":")" + std::string(room) + R"("})",
       [answered = std::move(answered)](int status, std::string_view body) {
         answered(status == 200 && body.find(R"("success":true)") != std::string_view::npos,
                  status);
       });
}

void Api::keep(Line& line) {
  free_.push_back(&line);
}

void Api::drop(Line& line) {
  std::erase(free_, &line);
  world_.reactor.defer([this, &line] {
    std::erase_if(lines_, [&line](const auto& each) { return each.get() == &line; });
  });
}

}  // namespace bench
