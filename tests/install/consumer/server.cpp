// Answers GET /hello until its standard input ends.
#include <signalbox.h>

#include <iostream>
#include <stdexcept>
#include <string>

namespace {

void check(sbx_error error) {
  if (error != SBX_OK) throw std::runtime_error(sbx_last_error());
}

class Server {
 public:
  Server() {
    sbx_config* config = sbx_config_new();
    check(sbx_config_set(config, "listen.port", "0"));
    check(sbx_config_set(config, "signaling.enabled", "false"));
    check(sbx_engine_create(config, nullptr, &engine_));
    sbx_config_free(config);
    check(sbx_engine_mount(
        engine_, "/hello",
        [](void* user, const sbx_http_request* request) {
          const std::string body = "hello from C++";
          sbx_http_respond(static_cast<Server*>(user)->engine_, request->ticket, 200, nullptr, 0,
                           body.data(), body.size());
        },
        this));
    check(sbx_engine_start(engine_));
  }
  ~Server() { sbx_engine_destroy(engine_); }

  uint16_t port() const { return sbx_engine_port(engine_); }

 private:
  sbx_engine* engine_ = nullptr;
};

}  // namespace

int main() {
  Server server;
  std::cout << "listening on port " << server.port() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) continue;
  return 0;
}
